"""ECCV Caption, Crisscrossed Captions and object labels in small: read, matched with a split, refused if damaged."""

import json

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.corpus import Split
from itm_tutorial.data.readers.coco_positives import coco_numbers, read_cxc, read_eccv_caption, read_instance_labels
from itm_tutorial.data.readers.photographs import Photographs
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.plausible_match import evaluate_plausible_matches
from itm_tutorial.evaluation.r_precision import evaluate_relevant

IMAGES, CAPTIONS = torch.tensor([42, 7, 581929]), torch.tensor([770337, 12, 13, 99])
IMAGE_OF = torch.tensor([0, 1, 1, 2])
SITS = """caption,image,agg_score,sampling_method
COCO_val2014:sentid:12,COCO_val2014_000000000042.jpg,4.97,c2i_intrasim
COCO_val2014:sentid:99,COCO_val2014_000000000042.jpg,2.99,c2i_intrasim
COCO_val2014:sentid:99,COCO_val2014_000000581929.jpg,3.0,c2i_original
COCO_val2014:sentid:12,COCO_val2014_000000000042.jpg,3.1,c2i_intrasim
"""


@pytest.fixture
def eccv(tmp_path):
    def write(i2t, t2i):
        (tmp_path / "eccv_image_to_caption.json").write_text(json.dumps(i2t))
        (tmp_path / "eccv_caption_to_image.json").write_text(json.dumps(t2i))
        return tmp_path

    return write


def test_the_positives_of_eccv_caption_as_matrices(eccv):
    found = read_eccv_caption(eccv({"42": [770337, 12, 12]}, {"99": [581929, 42], "12": [7]}))
    assert found.i2t == {42: [770337, 12]}  # a number that is there twice counts once
    i2t, t2i = found.matrices(IMAGES, CAPTIONS)
    assert i2t.nonzero().tolist() == [[0, 0], [0, 1]]
    assert t2i.nonzero().tolist() == [[0, 3], [1, 1], [2, 3]]
    scores = torch.tensor([[4.0, 1, 3, 9], [0, 2, 1, 0], [0, 0, 0, 8]])
    report = evaluate_relevant(scores, i2t, t2i)
    assert (report.i2t.n_queries, report.t2i.n_queries, report.i2t.n_relevant) == (1, 2, 2)
    assert report.i2t.r1 == 0 and report.i2t.r_precision == 50 and report.i2t.map_at_r == 25
    assert report.t2i.map_at_r == 100


def test_a_list_with_a_number_twice_would_change_r_precision():
    """The public code takes the set of the first R retrieved items, so a ranking with duplicates has fewer."""
    retrieved, right = [5, 5, 3], {5, 3, 4}
    of_a_set = len(set(retrieved[:3]) & right) / len(set(retrieved[:3]))
    of_ranks = len({item for item in retrieved[:3] if item in right}) / 3
    assert (of_a_set, of_ranks) == (1, pytest.approx(2 / 3))


def test_the_original_pairs_are_positives_too_where_they_are_given(eccv):
    found = read_eccv_caption(eccv({"42": [99]}, {"99": [42]}))
    i2t, t2i = found.matrices(IMAGES, CAPTIONS, IMAGE_OF)
    assert torch.equal(i2t, t2i) and i2t.sum() == 5 and i2t[0, 3] and i2t[2, 3]


def test_ratings_of_captions_and_images(tmp_path):
    (tmp_path / "sits_test.csv").write_text(SITS)
    ratings = read_cxc(tmp_path / "sits_test.csv")
    assert ratings.task == "sits" and ratings.first.tolist() == [12, 99, 99, 12] and ratings.second[2] == 581929
    assert ratings.ratings.tolist() == [4.97, 2.99, 3.0, 3.1] and ratings.sampled[2] == "c2i_original"
    assert ratings.positives().t2i == {12: [42], 99: [581929]}  # 3 itself is a positive, and no pair counts twice
    assert ratings.positives(2.9).i2t == {42: [12, 99], 581929: [99]}


@pytest.mark.parametrize(
    ("header", "row", "task"),
    [
        ("caption1,caption2", "COCO_val2014:sentid:5,COCO_val2014:sentid:6", "sts"),
        ("image1,image2", "COCO_val2014_000000000005.jpg,COCO_val2014_000000000006.jpg", "sis"),
    ],
)
def test_ratings_of_one_modality(tmp_path, header, row, task):
    (tmp_path / "a.csv").write_text(f"{header},agg_score,sampling_method\n{row},2.5,i2i_csim\n")
    ratings = read_cxc(tmp_path / "a.csv")
    assert (ratings.task, ratings.first.tolist(), ratings.second.tolist()) == (task, [5], [6])
    with pytest.raises(ItmError, match=f"one modality \\({task}\\)"):
        ratings.positives()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("4.97", "nan", "line 2: agg_score is 'nan'; a rating is a number from 0 to 5"),
        ("4.97", "5.1", "line 2: agg_score is '5.1'"),
        ("sentid:12,", "12,", "line 2: caption is .* does not name a COCO caption"),
        ("000000000042.jpg", "x.jpg", "line 2: image is .* does not name a COCO image"),
        ("agg_score", "score", "has the columns .*take a CSV with mean ratings"),
        (SITS.partition("\n")[2], "", "has no ratings"),
        (",c2i_intrasim", "", "line 2: 3 cells"),
    ],
)
def test_damaged_ratings_are_refused(tmp_path, old, new, message):
    (tmp_path / "sits_test.csv").write_text(SITS.replace(old, new, 1))
    with pytest.raises(ItmError, match=message):
        read_cxc(tmp_path / "sits_test.csv")


@pytest.mark.parametrize(
    ("i2t", "message"),
    [
        ({"a": [1]}, "'a' is no number of an image or a caption"),
        ({"1": []}, "the list of 1 is empty"),
        ({"1": ["2"]}, r"\['1'\]\[0\]: input should be a valid integer"),
        ({"1": [-2]}, "greater than or equal to 0"),
        ([1], "valid dictionary"),
    ],
)
def test_damaged_positives_are_refused(eccv, i2t, message):
    with pytest.raises(ItmError, match=message):
        read_eccv_caption(eccv(i2t, {}))


def test_other_names_and_absent_files_are_refused(tmp_path):
    with pytest.raises(ItmError, match="unknown kind of positives 'ecv': did you mean 'eccv'"):
        read_eccv_caption(tmp_path, "ecv")
    with pytest.raises(ItmError, match="eccv_image_to_caption.json does not exist"):
        read_eccv_caption(tmp_path)
    with pytest.raises(ItmError, match="is no CSV"):
        read_cxc(tmp_path / "sits_test.json")


def test_positives_that_are_not_in_the_split_are_named(eccv):
    found = read_eccv_caption(eccv({"43": [12]}, {}))
    with pytest.raises(ItmError, match="names the image 43, which is not among the 3 images given: take all 5,000"):
        found.matrices(IMAGES, CAPTIONS)
    with pytest.raises(ItmError, match="images: a number occurs twice"):
        found.matrices(IMAGES.clone().fill_(43), CAPTIONS)
    with pytest.raises(ItmError, match="captions is .*int64"):
        found.matrices(IMAGES, CAPTIONS.float())


def test_object_labels_of_instances(tmp_path):
    boxes = [{"image_id": 42, "category_id": 90, "bbox": [1, 2]}, {"image_id": 42, "category_id": 1}]
    boxes += [{"image_id": 8, "category_id": 3}, {"image_id": 7, "category_id": 1}]
    (tmp_path / "instances_val2014.json").write_text(json.dumps({"annotations": boxes, "info": {}}))
    labels = read_instance_labels(tmp_path / "instances_val2014.json", IMAGES)
    assert labels.shape == (3, 90) and labels.nonzero().tolist() == [[0, 0], [0, 89], [1, 0]]
    scores = torch.randn(3, 4)
    assert evaluate_plausible_matches(scores, IMAGE_OF, labels).n_images == 2
    boxes[0]["category_id"] = 91
    (tmp_path / "instances_val2014.json").write_text(json.dumps({"annotations": boxes}))
    with pytest.raises(ItmError, match=r"annotations\[0\]: category 91 is not from 1 to 90"):
        read_instance_labels(tmp_path / "instances_val2014.json", IMAGES)


@pytest.fixture
def split(tmp_path):
    names = ["COCO_val2014_000000000042.jpg", "000000000007.jpg"]
    images = Photographs([tmp_path / name for name in names])
    return Split("test", images, ["A dog.", "a cat", "A dog.", "a  bird"], torch.tensor([0, 1, 0, 0]))


@pytest.mark.parametrize("karpathy", [False, True])
def test_the_numbers_of_a_split(tmp_path, split, karpathy):
    rows = [(42, 5, "A dog."), (7, 6, " a cat\n"), (42, 8, "A dog."), (42, 9, "a bird"), (3, 10, "A dog.")]
    if karpathy:
        images = [
            {"cocoid": image, "filename": "x", "sentences": [{"sentid": c, "raw": t} for i, c, t in rows if i == image]}
            for image in (42, 7, 3)
        ]
        value = {"images": images, "dataset": "coco"}
    else:
        value = {"images": [], "annotations": [{"id": c, "image_id": i, "caption": t} for i, c, t in rows]}
    (tmp_path / "a.json").write_text(json.dumps(value))
    images, captions = coco_numbers(split, tmp_path / "a.json")
    assert images.tolist() == [42, 7] and captions.tolist() == [5, 6, 8, 9]


def test_a_split_of_something_else_is_refused(tmp_path, split, tiny):
    (tmp_path / "a.json").write_text(json.dumps({"annotations": []}))
    with pytest.raises(ItmError, match="has no caption 'A dog.' of image 42"):
        coco_numbers(split, tmp_path / "a.json")
    with pytest.raises(ItmError, match="test has no photographs"):
        coco_numbers(itm.load_corpus("scenes", size="tiny").test, tmp_path / "a.json")
    other = Split("test", Photographs([tmp_path / "dog.jpg"]), ["a"], torch.tensor([0]))
    with pytest.raises(ItmError, match="dog.jpg: the name does not end in COCO's number"):
        coco_numbers(other, tmp_path / "a.json")
