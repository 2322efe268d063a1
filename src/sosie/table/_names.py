"""What the name of a column says, in French and in English."""

import re

__all__ = ["is_named_like_code", "is_named_like_date", "is_named_like_identifier", "is_row_name"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_IDENTIFYING = _words("""
    id ids pid uid uuid guid nir ssn ipp iep nip ins nss siren siret matricule patientid
    subjid usubjid pidnum patid patientnumber patnum subjectid personid userid empid mrn nhs
    email mail courriel mel phone telephone tel mobile portable fax
    nom noms prenom prenoms surname firstname lastname fullname patronyme username login
    adresse address iban passport passeport rownames rowname ip pseudo pseudonyme pseudonym
""")
_ENTITIES = _words("""
    patient patients subject sujet person personne participant client customer employee employe
    salarie usager member membre user student etudiant encounter sejour dossier visit record
    sample echantillon case cas account compte family last first full maiden given
""")
_COUNTERS = _words("number numero num nbr nb no nr code key cle identifier identifiant name")
_DATES = _words("""
    date dates dt dob dtc naissance birth birthdate birthday birthdt deces death entree sortie
    admission discharge visit visite jour day datetime timestamp
""")
_CODES = _words("id ids code codes cle zip postal postcode departement dept")
_ROW_NAMES = frozenset({"", "unnamed: 0", "...1", "x1", "rownames", "row.names", "index", "_c0"})


def tokens_of(name: str) -> list[str]:
    """Cut a name into its words, in lower case and without accents.

    Examples
    --------
    >>> tokens_of("NuméroPatient_2")
    ['numero', 'patient', '2']
    """
    plain = name.translate(str.maketrans("éèêëàâäîïôöûüùçÉÈÊÀÂÎÔÛÇ°", "eeeeaaaiioouuucEEEAAIOUCo"))
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", plain)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", parted) if word]


def is_named_like_identifier(name: str) -> bool:
    """Tell a name that points at one person or record.

    A word that does so by itself (id, nir, usubjid, email, nom), or a kind of person or
    record beside a word for number (patient_nbr, numero de dossier, last name).

    Examples
    --------
    >>> [is_named_like_identifier(n) for n in ("patient_nbr", "USUBJID", "num_procedures")]
    [True, True, False]
    """
    words = set(tokens_of(name))
    if words & _IDENTIFYING:
        return True
    whose = words & _ENTITIES
    return bool(whose) and bool(words & _COUNTERS or words <= _ENTITIES)


def is_named_like_code(name: str) -> bool:
    """Tell a name of numbers that only name things, so that their order means nothing.

    Examples
    --------
    >>> is_named_like_code("admission_source_id"), is_named_like_code("cd40")
    (True, False)
    """
    return not _CODES.isdisjoint(tokens_of(name))


def is_named_like_date(name: str) -> bool:
    """Tell a name that announces a date.

    Examples
    --------
    >>> is_named_like_date("date_naissance"), is_named_like_date("weight")
    (True, False)
    """
    words = tokens_of(name)
    return any(word in _DATES or word.endswith(("date", "dt", "dtc")) for word in words)


def is_row_name(name: str) -> bool:
    """Tell the name that R or pandas gives to row numbers.

    Examples
    --------
    >>> is_row_name("Unnamed: 0"), is_row_name("age")
    (True, False)
    """
    return name.strip().lower() in _ROW_NAMES
