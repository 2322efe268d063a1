import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from sklearn.datasets import load_breast_cancer


@pytest.fixture(scope="session")
def rossi():
    """432 convicts, 9 columns; one made missing in half of those without work."""
    frame = load_rossi()
    frame["prio"] = frame["prio"].astype(float)
    rng = np.random.default_rng(0)
    frame.loc[(frame["wexp"] == 0) & (rng.random(len(frame)) < 0.5), ["prio", "educ2"]] = np.nan
    frame["educ2"] = rng.normal(12, 2, len(frame)).round(1)
    frame.loc[frame["prio"].isna(), "educ2"] = np.nan
    return frame


@pytest.fixture(scope="session")
def cancer():
    """569 tumours, 30 numbers that say nearly the same, and a diagnosis."""
    frame = load_breast_cancer(as_frame=True).frame
    return frame.assign(target=np.where(frame["target"] == 0, "malignant", "benign"))


@pytest.fixture(scope="session")
def mixed():
    """3,000 invented persons with every kind of column and every rule."""
    rng = np.random.default_rng(7)
    n = 3000
    sex = rng.choice(["f", "m"], n)
    age = np.clip(rng.normal(55, 15, n), 18, 95).round()
    weight = rng.normal(np.where(sex == "f", 63, 80), 10, n).round(1)
    charge = np.where(rng.random(n) < 0.6, 0, rng.lognormal(6, 1.4, n).round(2))
    dose = 5 * rng.poisson(8 + age / 10)
    birth = pd.Timestamp("2020-01-01") - pd.to_timedelta(age * 365.25, unit="D").round("D")
    visit = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D")
    out = visit + pd.to_timedelta(rng.geometric(0.3, n) - 1, unit="D")
    school = rng.choice(["primary", "secondary", "degree"], n, p=[0.3, 0.5, 0.2])
    years = pd.Series(school).map({"primary": 5, "secondary": 12, "degree": 16})
    return pd.DataFrame(
        {
            "sex": sex, "age": age.astype(int), "weight": weight, "charge": charge,
            "dose": dose, "birth": birth, "visit": visit, "out": out,
            "school": school, "years": years,
            "dead": rng.random(n) < (age / 150),
        }
    )  # fmt: skip
