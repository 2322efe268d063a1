import numpy as np
from lifelines.datasets import load_rossi
from tests.evidence.conftest import case_of, population

from sosie import Avatar, Table
from sosie.evidence._align import align, coded
from sosie.evidence._finding import Verdict
from sosie.evidence.privacy import RegenerationLinkage, ShadowMembership


def test_a_generator_that_copies_is_seen_by_shadow_models(rng):
    original, control = population(200, rng), population(100, rng)
    attack = ShadowMembership(lambda rows, seed: original.taken(rows), 16)
    found = attack.run(case_of(original, original, control))["shadow_membership"]
    assert found.value > 0.99
    assert found.verdict is Verdict.FAIL
    # 20 persons, 8 fits, in or out: at most log(low(160) / high(0 of 160)) of Clopper-Pearson.
    assert 2.5 < found.detail["epsilon_at_least"] < 4.5


def test_a_generator_that_sees_nobody_is_not(rng):
    original, control = population(200, rng), population(100, rng)
    fails, areas = 0, []
    for seed in range(25):
        attack = ShadowMembership(lambda rows, own: population(200, np.random.default_rng(own)), 16)
        found = attack.run(case_of(original, original, control, seed=seed))["shadow_membership"]
        areas.append(found.value)
        fails += found.verdict is not Verdict.PASS
        assert found.ci[0] <= found.value <= found.ci[1]
    assert fails <= 2
    assert abs(np.mean(areas) - 0.5) < 0.03


def test_avatars_around_their_person_are_linked(rng):
    original = population(300, rng)

    def near(seed):
        own = np.random.default_rng(seed)
        noise = 0.05 * own.normal(size=original.numbers.shape)
        return type(original)(original.layout, original.numbers + noise, original.codes)

    def anybody(seed):
        return original.taken(np.random.default_rng(seed).permutation(300))

    case = case_of(original, original, original)
    leaky = RegenerationLinkage(near, 20).run(case)["regeneration_linkage"]
    clean = RegenerationLinkage(anybody, 20).run(case)["regeneration_linkage"]
    assert leaky.value > 0.95
    assert leaky.verdict is Verdict.FAIL
    assert clean.value < 0.03
    assert clean.verdict is Verdict.PASS
    assert clean.naive == 1 / 300


def test_the_attack_that_broke_the_published_method():
    table = Table.of(load_rossi()[:300])

    def linked(kernel):
        def make(seed):
            avatar = Avatar(k=10, kernel=kernel, seed=seed).fit(table)
            return coded(avatar.sample_tables()[1], layout)

        return make

    people = align(table, table).original
    layout = people.layout
    case = case_of(people, people, people)
    rate = {
        kernel: RegenerationLinkage(linked(kernel), 15).run(case)["regeneration_linkage"]
        for kernel in ("published", "gibbs")
    }
    assert rate["published"].verdict is Verdict.FAIL
    assert rate["published"].value > 3 * rate["gibbs"].value
    assert rate["gibbs"].verdict is not Verdict.FAIL
