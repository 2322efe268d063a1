import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal, norm
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from sosie.errors import DataError, ParameterError
from sosie.generators.artificial import _latent_training
from sosie.generators.artificial._hmc import hmc
from sosie.generators.artificial._image_law import ImageLaw, log_pixels
from sosie.generators.artificial._image_networks import factors, most_factors, start
from sosie.generators.artificial._image_rhvae import ImageRHVAE
from sosie.generators.artificial._latent_metric import metric_of
from sosie.generators.artificial._latent_training import bound
from sosie.generators.artificial._sampling import Latents
from sosie.generators.artificial._volume import Volume

KEPT = 120


@pytest.fixture(scope="module")
def digits():
    data = load_digits(n_class=4)
    order = np.random.default_rng(0).permutation(len(data.target))
    return data.images[order] / 16, data.target[order]


@pytest.fixture(scope="module")
def model(digits):
    images, labels = digits
    return ImageRHVAE(6, seed=3, epochs=80).fit(images[:KEPT], labels[:KEPT])


def test_what_is_drawn_teaches_the_labels_of_images_never_seen(digits):
    images, labels = digits
    model = ImageRHVAE(seed=3, epochs=80).fit(images[:KEPT], labels[:KEPT])
    drawn = model.sample(400, balance=True)
    rows = drawn.images.reshape(400, -1)
    inside = images[:KEPT].reshape(KEPT, -1)
    unseen = images[KEPT:].reshape(len(images) - KEPT, -1)

    def score(rows, of):
        learnt = LogisticRegression(C=0.1, max_iter=300).fit(rows, of)
        return learnt.score(unseen, labels[KEPT:])

    assert score(rows, drawn.labels) > score(inside, labels[:KEPT]) - 0.01 > 0.9
    # Not means, nor copies: their spread within a label is about that of the originals, or a
    # little more, since copies are deformed besides what originals are.
    for label in range(4):
        ratio = (
            rows[drawn.labels == label].var(0).sum() / inside[labels[:KEPT] == label].var(0).sum()
        )
        assert 0.7 < ratio < 1.4


def test_no_draw_is_nearer_to_an_original_than_originals_are_to_each_other(model, digits):
    rows = digits[0][:KEPT].reshape(KEPT, -1)
    apart = cdist(rows, rows)
    np.fill_diagonal(apart, np.inf)
    least = np.quantile(apart.min(1), 0.05)
    drawn = model.sample(300)
    assert cdist(drawn.images.reshape(300, -1), rows).min() > least - 1e-4
    assert 0 < model.kept_by_filter_ <= 1


def test_labels_asked_for_are_those_drawn(model):
    assert np.bincount(model.sample(80, balance=True).labels).tolist() == [20] * 4
    assert set(model.sample(9, label="2").labels) == {2}
    asked = [3, 0, 0, 1]
    assert model.sample(4, asked).labels.tolist() == asked
    with pytest.raises(ParameterError, match="No image has the label"):
        model.sample(4, label=7)
    with pytest.raises(ParameterError, match="not for two"):
        model.sample(4, asked, balance=True)
    with pytest.raises(ParameterError, match="have 4 labels: ask for 4 at least, and not 3"):
        model.sample(3, balance=True)
    with pytest.raises(ParameterError, match="law is one of"):
        model.sample(4, law="best")


def test_a_refusal_names_no_label_that_few_images_have(digits):
    images = digits[0][:40]

    def refused(labels):
        model = ImageRHVAE(2, seed=0, epochs=0).fit(images, labels)
        with pytest.raises(ParameterError) as one:
            model.sample(4, label="x")
        with pytest.raises(ParameterError, match=str(one.value)):
            model.sample(1, ["x"])
        return str(one.value)

    named = np.repeat(["b", "a", "rare", "Smith"], [30, 5, 4, 1])
    assert refused(named).endswith("; the labels are, among others: a, b.")
    assert refused(np.repeat(["b", "a"], [35, 5])).endswith("; the labels are: a, b.")
    assert refused(np.arange(40) // 4) == "No image has the label asked for."
    assert "have no labels" in refused(None)


def test_a_pace_that_diverges_is_left_and_a_model_that_does_is_told(digits, monkeypatch):
    images, labels = (part[:KEPT] for part in digits)
    model = ImageRHVAE(3, seed=0, epochs=0).fit(images, labels)
    assert len(model.sample(2).images) == 2

    def bounds(*values):
        given = iter(values)
        monkeypatch.setattr(_latent_training, "_mean_bound", lambda *_: next(given))

    bounds(1.0, 2.0, np.nan, 5.0)  # of two paces; then with all images, of the better one first
    assert ImageRHVAE(3, seed=0, epochs=0).fit(images, labels).bound_ == 1.0
    for values in ((np.nan,), (1.0, 2.0, np.nan, np.inf)):
        bounds(*values)
        with pytest.raises(DataError, match="diverged"):
            model.fit(images, labels)
        with pytest.raises(ParameterError, match="call fit first"):
            model.sample(2)


def test_same_seed_same_images_and_another_seed_others(digits):
    images, labels = digits[0][:40], digits[1][:40]

    def drawn(seed):
        return ImageRHVAE(2, seed=seed, epochs=0).fit(images, labels).sample(5).images

    assert np.array_equal(drawn(0), drawn(0))
    assert not np.array_equal(drawn(0), drawn(1))


def test_type_and_size_are_those_given(digits):
    grey = np.rint(digits[0][:40] * 255).astype(np.uint8)
    colour = np.stack([grey, 255 - grey, grey], axis=-1)
    model = ImageRHVAE(3, seed=0, epochs=0).fit(colour)
    drawn = model.sample(20)
    assert drawn.images.dtype == np.uint8
    assert drawn.images.shape == (20, 8, 8, 3)
    assert drawn.labels is None
    # The second colour is the negative of the first, in what is drawn too.
    pair = drawn.images[..., :2].reshape(-1, 2).astype(float)
    assert np.corrcoef(pair.T)[0, 1] < -0.7


def test_factors_that_hardly_show_have_no_wild_means():
    rng = np.random.default_rng(5)
    label = np.repeat([0, 1], 60)
    x = np.clip(0.5 + 0.1 * rng.normal(size=(120, 1)) + rng.normal(0, 0.02, (120, 30)), 0, 1)
    # One factor and noise below the floor: nine others are of nothing.
    found = factors(x, label, 2, 10)
    assert np.abs(found.mean).max() < 3
    assert (np.abs(found.loadings) > 0.05).any(axis=0).sum() == 1


def test_at_the_start_every_draw_of_the_bound_is_the_likelihood():
    rng = np.random.default_rng(0)
    label = np.repeat([0, 1], 60)
    W = rng.normal(0, 0.06, (12, 2))
    x = 0.5 + 0.05 * label[:, None] + rng.normal(size=(120, 2)) @ W.T
    x = np.clip(x + rng.normal(0, 0.1, x.shape), 0.01, 0.99)
    found = factors(x, label, 2, 2)
    params = start(found, 16, rng)
    law, key = ImageLaw(), jax.random.key(0)
    data = (jnp.asarray(x, jnp.float32), jnp.eye(2)[label])
    said = np.asarray(bound(law, params, data, metric_of(x[:, :2], x[:, :2]), key, 0, 0.1))
    for c in (0, 1):
        mean = found.level[c] + found.loadings @ found.mean[c]
        spread = found.loadings * found.variance @ found.loadings.T + np.diag(found.unique)
        true = multivariate_normal(mean, spread).logpdf(x[label == c])
        assert np.allclose(said[label == c], true, atol=0.02)


def test_with_a_flow_the_bound_is_below_the_likelihood_and_its_exponential_on_it():
    rng = np.random.default_rng(1)
    x = np.clip(0.5 + rng.normal(size=(80, 1)) * rng.normal(0, 0.1, 10), 0.01, 0.99)
    x = np.clip(x + rng.normal(0, 0.06, x.shape), 0.01, 0.99)
    label = np.zeros(80, int)
    found = factors(x, label, 1, 1)
    params = start(found, 4, rng)
    params["enc_spread"] -= 0.5  # an encoder that is too sure: the bound is then loose
    law, data = ImageLaw(), (jnp.asarray(x[:20], jnp.float32), jnp.ones((20, 1)))
    metric = metric_of(rng.normal(size=(6, 1)), np.full((6, 1), 0.3))

    def draw(key):
        return bound(law, params, data, metric, key, 2, 0.3)

    draws = np.asarray(jax.jit(jax.vmap(draw))(jax.random.split(jax.random.key(0), 4000)))
    spread = found.loadings * found.variance @ found.loadings.T + np.diag(found.unique)
    true = multivariate_normal(found.level[0] + found.loadings @ found.mean[0], spread)
    true = true.logpdf(x[:20])
    assert (draws.mean(0) < true).all()
    top = draws.max(0)
    weighted = top + np.log(np.exp(draws - top).mean(0))
    assert np.abs(weighted - true).mean() < 0.1


def test_pixels_at_the_ends_stand_for_all_that_lies_beyond():
    x, mean = np.array([[0.0, 1.0, 0.4]]), np.array([[0.1, 0.8, 0.5]])
    sigma = np.array([0.1, 0.2, 0.3])
    true = norm.logcdf(-1) + norm.logcdf(-1) + norm.logpdf(0.4, 0.5, 0.3)
    assert float(log_pixels(*map(jnp.asarray, (x, mean, sigma)))[0]) == pytest.approx(
        true, abs=1e-5
    )


def test_the_linear_start_knows_that_black_pixels_were_cut():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 1))
    true = np.array([0.0, 0.3]) + z * [0.2, 0.2] + rng.normal(0, 0.1, (400, 2))
    x = np.clip(true, 0, 1)
    label = np.zeros(400, int)
    cut, plain = (factors(x, label, 1, 1, pixels=pixels) for pixels in (None, 0))
    # Half of the first pixels are black: their mean and loading are those before the cut.
    assert abs(cut.level[0, 0]) < abs(plain.level[0, 0]) / 2
    scale = abs(cut.loadings[1, 0]) / abs(cut.loadings[0, 0])
    assert abs(scale - 1) < abs(abs(plain.loadings[1, 0]) / abs(plain.loadings[0, 0]) - 1)


def test_as_many_dimensions_as_there_are_in_the_images():
    rng = np.random.default_rng(0)
    z, W = rng.normal(size=(300, 4)), rng.normal(0, 0.1, (64, 4))
    x = np.clip(0.5 + z @ W.T + rng.normal(0, 0.06, (300, 64)), 0, 1)
    assert most_factors(x, np.zeros(300, int), 1, rng) == 4


def test_training_gains_on_images_held_out(model):
    assert model.bound_ > model.history_[0] + 1


def test_interpolation_ends_at_the_two_images_and_goes_no_longer_way(model, digits):
    images, labels = digits[0][:KEPT], digits[1][:KEPT]
    a, b = (int(np.flatnonzero(labels == label)[0]) for label in (0, 1))
    path = model.geodesic(a, b)
    assert float(path.length) <= float(path.straight) + 1e-4
    mean, _ = model.latent()
    assert np.allclose(path.points[0], mean[a], atol=1e-4)
    assert np.allclose(path.points[-1], mean[b], atol=1e-4)
    between = model.interpolate(a, b, 5)
    assert between.shape == (5, 8, 8)
    far = [[np.abs(images[row] - shown).mean() for shown in between] for row in (a, b)]
    assert np.argmin(far[0]) == 0
    assert np.argmin(far[1]) == 4
    again = model.latent(images[:3], labels[:3])[0]
    assert np.allclose(again, mean[:3], atol=1e-5)
    with pytest.raises(ParameterError, match="no original 500"):
        model.interpolate(0, 500)


def test_resampling_of_the_manifold_is_what_long_chains_give(digits):
    model = ImageRHVAE(2, seed=0, epochs=0).fit(digits[0][:60])
    mean, sigma = model.latent()
    latents, rng = Latents(mean, sigma), np.random.default_rng(0)
    volume = Volume(model.metric_)
    said = latents.resampled(rng, 2000, 1.0, model.metric_)
    chains = hmc(latents.target(1.0, model.metric_), rng, 800)
    assert 0.6 < chains.acceptance < 0.95
    one, other = (np.exp(volume.log_volume(z)[0]).mean() for z in (said.z, chains.z))
    assert one == pytest.approx(other, rel=0.08)
    assert np.allclose(said.z.std(0), chains.z.std(0), rtol=0.15)
    drawn = model.sample(50, law="manifold")
    assert len(drawn.images) == 50
    assert 10 < model.ess_ <= 50


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (np.zeros((20, 8, 8)), None, "at least 30"),
        ([np.zeros((8, 8))] * 30 + [np.zeros((8, 9))], None, "unequal sizes"),
        (np.full((30, 8, 8), np.nan), None, "no numbers"),
        (np.zeros((30, 65, 65)), None, "resize them"),
        (np.full((30, 8, 8), 2.0), None, "from 0 to 1: divide"),
        (np.linspace(-1, 1, 1920).reshape(30, 8, 8), None, "below 0: subtract .*, then divide"),
        (np.zeros((30, 8, 8), int), None, "of type int64"),
        (np.zeros((30, 8)), None, "not of shape"),
        (np.zeros((30, 8, 8)), None, "all the same|the same"),
        (np.zeros((30, 8, 8)), range(29), "give one each"),
        (np.zeros((30, 8, 8)), range(30), "two images or more"),
        (np.zeros((30, 8, 8)), [np.nan] * 30, "no label"),
    ],
)
def test_images_that_cannot_be_learnt_are_refused(images, labels, said):
    with pytest.raises(DataError, match=said):
        ImageRHVAE(2, seed=0).fit(images, labels)


def test_parameters_out_of_range_are_refused(digits):
    with pytest.raises(ParameterError, match="at most"):
        ImageRHVAE(60, seed=0).fit(digits[0][:40])
    with pytest.raises(ParameterError, match="call fit"):
        ImageRHVAE().sample(3)


def test_a_label_of_few_images_leans_on_the_others(digits):
    images, labels = digits
    rows = np.r_[np.flatnonzero(labels != 3)[:60], np.flatnonzero(labels == 3)[:1]]
    model = ImageRHVAE(6, seed=0, epochs=0).fit(images[rows], labels[rows])
    drawn = model.sample(40, label=3).images
    others = images[labels == 3][1:]
    # Nearer to the threes never seen than those are to a digit of another label.
    assert cdist(drawn.reshape(40, 64), others.reshape(-1, 64)).min(1).mean() < (
        cdist(images[labels != 3].reshape(-1, 64), others.reshape(-1, 64)).min(1).mean()
    )
    assert drawn.reshape(40, 64).std(0).mean() > 0.05
    assert len(model.sample(10, label=3, law="manifold").images) == 10
