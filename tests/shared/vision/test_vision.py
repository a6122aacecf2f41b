"""Policies that see: pictures as token ids, the tiny base, and a checkpoint in hub format."""

import copy
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from autodidact.bases.keys import TRAINERS
from autodidact.environments.shapes import Shapes, patches
from autodidact.losses import stic
from autodidact.prepare import prepare
from autodidact.streams import stream
from autodidact.training import Pair, adapters, train_preferences, train_supervised
from autodidact.vision import TinySight, VisionPolicy, load_vision_policy, tiny
from autodidact.vision.policy import Gallery
from autodidact.vision.tower import Retina, Tower, train_retina

WORLD = Shapes(demonstrations=300)
BASE = TinySight(steps=4, captions=4, questions=4, tower=Tower(pictures=40, steps=30))


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("AUTODIDACT_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield load_vision_policy("tiny", WORLD, seed=3, base=BASE)
    patch.undo()


@pytest.fixture(scope="module")
def asked():
    return WORLD.prompts(6, rng(), split="held-out")


def test_gallery_encodes_each_picture_once_and_keeps_its_rows():
    calls = []

    def encode(images):
        calls.append(len(images))
        return [torch.full((2, 3), float(image[0, 0, 0])) for image in images]

    gallery = Gallery(encode)
    one, two = (np.full((4, 4, 3), shade, np.uint8) for shade in (7, 9))
    assert gallery.hang([one, two, one.copy()]) == [range(2), range(2, 4), range(2)]
    assert gallery.hang([two]) == [range(2, 4)] and calls == [2]
    assert gallery.features[:, 0].tolist() == [7, 7, 9, 9]
    assert copy.deepcopy(gallery) is gallery
    gallery.clear()
    assert gallery.hang([two]) == [range(2)]
    for bad in (one.astype(float), one[0], [1, 2]):
        with pytest.raises(ValueError, match="image"):
            gallery.hang([bad])


def test_a_drawing_hangs_beside_pictures_and_nothing_is_taken_for_another():
    gallery = Gallery(lambda images: [torch.full((2, 3), float(image.sum())) for image in images])
    grid = np.arange(64).reshape(8, 8)
    assert gallery.hang([grid, grid.T.copy(), grid]) == [range(2), range(2, 4), range(2)]


def test_the_key_names_every_module_that_trains(tmp_path, monkeypatch):
    """Watches a training, its corpus made before: what of this package runs in it is in the key, or is named here."""
    monkeypatch.setenv("AUTODIDACT_CACHE", str(tmp_path))
    ran, train = set(), tiny._train

    def watched(*arguments):
        sys.setprofile(lambda frame, event, argument: ran.add(frame.f_code.co_filename))
        try:
            train(*arguments)
        finally:
            sys.setprofile(None)

    monkeypatch.setattr(tiny, "_train", watched)
    load_vision_policy("tiny", WORLD, seed=4, base=BASE)
    own = {path.rpartition("autodidact/")[2] for path in ran if "src/autodidact/" in path}
    made = {"bases/keys.py", "models/policy.py", "models/memo.py"}  # one thread; a policy, weights as they are
    made |= {"vision/sight.py", "environments/shapes/world.py", "environments/shapes/knobs.py"}  # values in the key
    packages = {path for path in own if path.endswith("__init__.py")}
    assert set(tiny.OWN) <= own | {"environments/shapes/grid.py"}  # of it a list of tokens is read, without a call
    assert own - packages - made <= {*tiny.OWN, *TRAINERS}


def test_a_prompt_without_a_picture_is_its_words():
    world = Shapes.preset("drawing", demonstrations=200)
    policy = load_vision_policy("tiny", world, seed=3, base=BASE)
    blind, seeing = world.prompts(1, rng(), "draw")[0], world.prompts(1, rng(), "question")[0]
    ids = policy.encode_prompts([blind, seeing])
    assert ids[blind] == policy.tokenizer(blind.text)["input_ids"] and max(ids[blind]) < policy.words
    assert sum(i >= policy.words for i in ids[seeing]) == 16
    (answer,), (drawn,) = policy.generate([seeing, blind], 1, rng=rng(), temperature=1.0, max_new_tokens=3)
    assert answer.tokens and drawn.tokens
    judged = blind.ask("is there a red ring ?").show(seeing.image)  # what was drawn is looked at like any picture
    assert policy.logprobs([judged], ["yes"])[0].isfinite().all()


def test_log_probabilities_are_those_of_embeddings_put_together_by_hand(policy, asked):
    labelled = WORLD.labelled_patches(BASE.tower.pictures, stream(3, "demonstrate", 1))
    retina = train_retina(labelled, 3, BASE.tower, [7, 7])
    embedding, x = policy.model.get_input_embeddings(), asked[0]
    response = WORLD.true_caption(x)
    with torch.no_grad():
        picture = embedding.projection(retina.look(patches(x.image)))
        words = [embedding.words(torch.tensor(policy.tokenizer(t)["input_ids"])) for t in (x.text, response)]
        end = embedding.words(torch.tensor([policy.end]))
        whole = torch.cat([words[0][:1], picture, words[0][1:], words[1][1:], end])
        logps = policy.model(inputs_embeds=whole[None]).logits[0].log_softmax(-1)
    ids = policy.encode_response(response)
    start = len(whole) - len(ids)
    wanted = [float(logps[start + k - 1, token]) for k, token in enumerate(ids)]
    assert policy.logprobs([x], [response])[0].tolist() == pytest.approx(wanted, abs=1e-4)


def test_the_picture_matters_and_a_batch_does_not(policy, asked):
    texts = [WORLD.true_caption(x) for x in asked]
    together = policy.sequence_logprobs(asked, texts)
    apart = [float(policy.sequence_logprobs([x], [y])[0]) for x, y in zip(asked, texts, strict=True)]
    assert together == pytest.approx(apart, abs=1e-3)
    others = [x.show(asked[(i + 1) % len(asked)].image) for i, x in enumerate(asked)]
    assert np.abs(policy.sequence_logprobs(others, texts) - together).max() > 1e-3
    drawn = policy.generate(asked, 2, rng=rng(1), temperature=0.7, max_new_tokens=9)
    alone = policy.generate(asked, 2, rng=rng(1), temperature=0.7, max_new_tokens=9, batch_size=1)
    assert [[y.text for y in row] for row in drawn] == [[y.text for y in row] for row in alone]
    again = policy.sequence_logprobs([asked[0]], [drawn[0][0].text])
    if drawn[0][0].ended:
        assert again[0] == pytest.approx(drawn[0][0].logprob, abs=1e-3)


def test_cached_base_is_the_one_that_was_trained(policy, asked):
    again = load_vision_policy("tiny", WORLD, seed=3, base=BASE)
    texts = [WORLD.true_caption(x) for x in asked]
    assert again.sequence_logprobs(asked, texts) == pytest.approx(policy.sequence_logprobs(asked, texts), abs=1e-5)
    other = load_vision_policy("tiny", WORLD, seed=4, base=BASE)
    assert other.sequence_logprobs(asked, texts) != pytest.approx(policy.sequence_logprobs(asked, texts), abs=1e-2)


@pytest.mark.parametrize("lora", [None, 2])
def test_both_trainers_take_pictures_and_leave_base_and_tower_alone(policy, asked, lora):
    texts = [WORLD.true_caption(x) for x in asked]
    before = policy.sequence_logprobs(asked, texts)
    settings = {"steps": 6, "batch_size": 3, "learning_rate": 1e-2, "seed": 0, "lora": adapters(lora)}
    supervised, _ = train_supervised(policy, list(zip(asked, texts, strict=True)), **settings)
    pairs = [Pair(x, y, "a red circle .") for x, y in zip(asked, texts, strict=True)]
    preferred, _ = train_preferences(policy, pairs, loss=partial(stic, beta=0.1, alpha=1.0), **settings)
    for trained in (supervised, preferred):
        assert isinstance(trained, VisionPolicy) and trained.gallery is policy.gallery
        assert (trained.sequence_logprobs(asked, texts) > before).all()
    assert (policy.sequence_logprobs(asked, texts) == before).all()


def test_tower_learns_to_read_and_is_frozen():
    labelled = WORLD.labelled_patches(600, stream(0, "demonstrate", 1))
    retina = train_retina(labelled, 0, Tower(pictures=600, steps=250), [7, 7])
    rows, labels = WORLD.labelled_patches(60, rng(5), "held-out")
    with torch.no_grad():
        right = [
            float((part.argmax(1).numpy() == labels[:, k]).mean()) for k, part in enumerate(retina(torch.tensor(rows)))
        ]
    assert min(right) > 0.9
    assert not any(weight.requires_grad for weight in retina.parameters())
    features = retina.look(rows[:16])
    assert features.shape == (16, 14)
    assert torch.allclose(features[:, :7].sum(1), torch.tensor(3.0))


def test_convolutional_tower_takes_larger_patches():
    retina = Retina("conv", 3 * 32 * 32, [11, 7]).eval()
    assert retina.look(rng().random((2, 16, 3072), dtype=np.float32)).shape == (2, 16, 18)
    with pytest.raises(ValueError, match="kind='eye'"):
        Retina("eye", 192, [7, 7])


def test_a_batch_prepares_bases_that_see(monkeypatch, tmp_path):
    made = []
    load = "autodidact.prepare.load_vision_policy"
    monkeypatch.setattr(load, lambda *a, **k: made.append((a, k)) or SimpleNamespace(name="tiny"))
    prepare({"model": "tiny", "world": "shapes/captions", "base_steps": 7, "tower": {"steps": 9}}, [0, 1])
    assert [k["seed"] for _, k in made] == [0, 1]
    assert made[0][1]["base"] == TinySight(steps=7, tower=Tower(steps=9))


def test_tiny_without_a_world_is_refused():
    with pytest.raises(ValueError, match="needs a world"):
        load_vision_policy("tiny")


@pytest.mark.parametrize("release", ["llava", "older_llava"])
def test_a_hub_model_says_what_it_says_without_us(release, asked, request):
    llava = request.getfixturevalue(release)
    from transformers import AutoModelForImageTextToText, AutoProcessor

    policy = load_vision_policy(str(llava), device="cpu")
    whole = AutoModelForImageTextToText.from_pretrained(llava)
    processor = AutoProcessor.from_pretrained(llava)
    x, response = asked[0], WORLD.true_caption(asked[0])
    turns = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": x.text}]}]
    text = processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    inputs = processor(text=text, images=[x.image], return_tensors="pt")
    tail = policy.encode_response(response)
    ids = torch.cat([inputs["input_ids"], torch.tensor([tail])], dim=1)
    assert len(policy.encode(x)) == inputs["input_ids"].shape[1]
    with torch.no_grad():
        pictures = {name: value for name, value in inputs.items() if name in ("pixel_values", "image_sizes")}
        logps = whole(ids, **pictures).logits[0].log_softmax(-1)
    start = inputs["input_ids"].shape[1]
    wanted = [float(logps[start + k - 1, token]) for k, token in enumerate(tail)]
    assert policy.logprobs([x], [response])[0].tolist() == pytest.approx(wanted, abs=1e-4)


def test_a_picture_token_in_the_text_of_a_prompt_is_dropped(llava, asked):
    policy = load_vision_policy(str(llava), device="cpu")
    assert policy.encode(asked[0].ask("<image>" + asked[0].text)) == policy.encode(asked[0])


def test_a_hub_model_is_asked_without_a_picture(llava, asked):
    policy = load_vision_policy(str(llava), device="cpu")
    blind = policy.encode(asked[0].show(None))
    seeing = policy.encode(asked[0])
    assert max(blind) < policy.words and len(blind) < len(seeing)
    assert blind[-3:] == seeing[-3:]


def test_a_hub_model_trains_with_adapters(llava, asked):
    policy = load_vision_policy(str(llava), device="cpu")
    texts = [WORLD.true_caption(x) for x in asked]
    before = policy.sequence_logprobs(asked, texts)
    pairs = [Pair(x, y, "a red circle .") for x, y in zip(asked, texts, strict=True)]
    settings = {"steps": 5, "batch_size": 3, "learning_rate": 1e-2, "seed": 0, "lora": adapters(4)}
    trained, _ = train_preferences(policy, pairs, loss=partial(stic, alpha=1.0), **settings)
    further, _ = train_supervised(trained, list(zip(asked, texts, strict=True)), **settings)
    assert (trained.sequence_logprobs(asked, texts) > before).all()
    assert further.sequence_logprobs(asked, texts).sum() > trained.sequence_logprobs(asked, texts).sum()
    assert (policy.sequence_logprobs(asked, texts) == before).all()
    assert len(trained.generate(asked[:2], 1, rng=rng(), max_new_tokens=4)) == 2
