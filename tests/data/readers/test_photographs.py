"""Photographs of every mode and format: one rule for each, and one error for whatever is wrong with a file."""

import io
import os
import random
import warnings
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from itm_tutorial.data.readers import photographs, pixels
from itm_tutorial.data.readers.photographs import Photographs, decode
from itm_tutorial.data.readers.pixels import to_rgb
from itm_tutorial.errors import ItmError

FORMATS = ("avif", "bmp", "dds", "dib", "gif", "icns", "ico", "im", "jpeg", "jpeg2000", "mpo", "msp", "pcx", "png")
FORMATS += ("ppm", "qoi", "sgi", "spider", "tga", "tiff", "webp", "xbm")


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def kept(image, folder, name="a.png", **options):
    file = folder / name
    image.save(file, **options)
    return file


def test_transparent_pixels_are_white_and_opaque_ones_keep_their_colour(tmp_path):
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    for mode in ("RGBA", "P"):
        found = decode(kept(image if mode == "RGBA" else image.quantize(4), tmp_path))
        assert found[:, 0].T.tolist() == [[255, 0, 0], [255, 255, 255]], mode
    grey = Image.new("LA", (2, 1), (100, 255))
    grey.putpixel((1, 0), (0, 0))
    assert decode(kept(grey, tmp_path))[:, 0].T.tolist() == [[100] * 3, [255] * 3]
    keyed = kept(Image.new("RGB", (1, 1), (1, 2, 3)), tmp_path, transparency=(1, 2, 3))
    assert decode(keyed).flatten().tolist() == [255] * 3


def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path):
    values = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    assert decode(kept(Image.fromarray(values), tmp_path))[0, 0].tolist() == [0, 1, 128, 255]
    assert decode(kept(Image.fromarray(values), tmp_path, "a.tiff"))[0, 0].tolist() == [0, 1, 128, 255]
    whole = Image.fromarray(np.array([[0, 7, 255]], dtype=np.int32))  # mode I, with values of eight bits
    assert to_rgb(whole)[1, 0].tolist() == [0, 7, 255]


def test_floats_between_0_and_1_are_read_and_others_refused(tmp_path):
    file = kept(Image.fromarray(np.array([[0, 0.5, 1]], dtype=np.float32)), tmp_path, "a.tiff")
    assert decode(file)[2, 0].tolist() == [0, 128, 255]
    for wrong in (200.0, -0.1, float("nan")):
        file = kept(Image.fromarray(np.array([[0, wrong]], dtype=np.float32)), tmp_path, "a.tiff")
        with pytest.raises(ItmError, match="a.tiff has values from .* or floats from 0 to 1"):
            decode(file)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV", "LAB"])
def test_other_colours_come_back_nearly(mode):
    colours = Image.fromarray(np.array([[[255, 0, 0], [0, 160, 0], [40, 60, 200], [128, 128, 128]]], dtype=np.uint8))
    if mode == "LAB":
        profiles = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
        other = ImageCms.profileToProfile(colours, *profiles, outputMode="LAB")
    else:
        other = colours.convert(mode)
    assert other.mode == mode
    assert (
        to_rgb(other).int() - to_rgb(colours).int()
    ).abs().max() <= 10  # eight bits of LAB are coarse for bright colours


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_an_animation_shows_its_first_frame(tmp_path, kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    file = kept(frames[0], tmp_path, f"a.{kind}", save_all=True, append_images=frames[1:])
    found = decode(file).float().mean((1, 2))
    assert found[0] > 240 and found[1:].max() < 15


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_that_of_pillow(tmp_path, orientation):
    noted = Image.Exif()
    noted[0x0112] = orientation
    file = kept(Image.fromarray(noise(5, 9, 3)), tmp_path, exif=noted)
    with Image.open(file) as image:
        theirs = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(decode(file).permute(1, 2, 0).numpy(), theirs)
    assert Photographs([file]).size_of(0) == theirs.shape[:2]


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpegs_are_what_pillow_makes_of_them(tmp_path, mode):
    file = kept(Image.fromarray(noise(20, 30, 3)).convert(mode), tmp_path, "a.jpg")
    with Image.open(file) as image:
        assert np.array_equal(decode(file).permute(1, 2, 0).numpy(), np.asarray(image.convert("RGB")))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_data_leave_a_photograph_as_it_is(tmp_path):
    image = Image.fromarray(noise(6, 4, 3))
    for exif in (b"Exif\x00\x00rubbish", b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00"):
        file = kept(image, tmp_path, exif=exif)
        assert np.array_equal(decode(file).permute(1, 2, 0).numpy(), np.asarray(image))


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    file = kept(Image.new("1", (300, 200)), tmp_path)
    monkeypatch.setattr(photographs, "LARGEST", 60_000)
    assert decode(file).shape == (3, 200, 300)
    monkeypatch.setattr(photographs, "LARGEST", 59_999)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(ItmError, match="a.png has 300 x 200 pixels, more than 59,999: make it smaller"):
        decode(file)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10_000, 20_000])
def test_a_small_file_of_a_huge_image_is_refused(tmp_path, side):
    head = io.BytesIO()
    Image.new("1", (8, 8)).save(head, "bmp")
    data = bytearray(head.getvalue())
    data[18:26] = side.to_bytes(4, "little") * 2
    (tmp_path / "a.bmp").write_bytes(data)
    with pytest.raises(ItmError, match="a.bmp"):
        decode(tmp_path / "a.bmp")


def test_a_drawing_that_another_program_would_draw_is_refused(tmp_path):
    file = kept(Image.new("RGB", (4, 4)), tmp_path, "a.eps")
    with pytest.raises(ItmError, match="a.eps is a drawing .EPS. .*save it as an RGB image"):
        decode(file)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), NotImplementedError("dds"), RuntimeError("avif"), RecursionError("deep"), KeyError(3), EOFError()],
)
def test_every_error_of_a_decoder_becomes_one(tmp_path, monkeypatch, error):
    def refuse(*_, **__):
        raise error

    file = kept(Image.new("RGB", (4, 4)), tmp_path)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", refuse)
    with pytest.raises(ItmError, match="a.png is cut short or not an image .+: get this file again"):
        decode(file)


def test_a_file_that_the_system_does_not_give_is_no_damaged_image(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    file = kept(Image.new("RGB", (4, 4)), tmp_path)
    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(ItmError, match=r"a.png cannot be read \(Permission denied\)"):
        decode(file)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_of_every_format_give_an_image_or_one_error(tmp_path, kind):
    saved = io.BytesIO()
    image = Image.fromarray(noise(32, 32, 3))
    image = image.convert("1") if kind in ("xbm", "msp") else image.convert("L") if kind == "spider" else image
    with suppress(OSError, KeyError):  # a format that this Pillow cannot write
        image.save(saved, kind)
    data, rng = saved.getvalue(), random.Random(kind)
    if not data:
        pytest.skip(f"this Pillow writes no {kind}")
    file = tmp_path / "a.img"
    for turn in range(40):
        broken = bytearray(data)
        if turn % 2:
            at = rng.randrange(len(broken))
            del broken[at : at + rng.randrange(1, 40)]
        for _ in range(rng.randrange(1, 6)):
            broken[rng.randrange(min(len(broken), 200 if turn % 3 else len(broken)))] = rng.randrange(256)
        file.write_bytes(broken)
        try:
            found = decode(file)
        except ItmError as error:
            assert "a.img" in str(error) and "\n" not in str(error)
        else:
            assert found.dtype == torch.uint8 and found.ndim == 3 and len(found) == 3


@given(st.integers(1, 4), st.integers(5, 9), st.sampled_from(["first", "last"]), st.sampled_from(["array", "tensor"]))
@settings(max_examples=25)
def test_channels_may_be_first_or_last(height, width, where, kind):
    values = noise(height + 4, width, 3)
    given_so = values if where == "last" else np.ascontiguousarray(values.transpose(2, 0, 1))
    found = to_rgb(given_so if kind == "array" else torch.from_numpy(given_so))
    assert np.array_equal(found.permute(1, 2, 0).numpy(), values)


def test_where_both_could_be_channels_arrays_have_them_last_and_tensors_first():
    values = noise(3, 5, 3)
    assert to_rgb(values).shape == (3, 3, 5)
    assert torch.equal(to_rgb(torch.from_numpy(values)), torch.from_numpy(values))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0, 0.25]]), [0, 128, 255, 64]),
        (np.array([[0, 1, 2, 255]]), [0, 1, 2, 255]),
        (np.array([[0, 257, 514, 65535]], dtype=">u2"), [0, 1, 2, 255]),
        (np.array([[True, False, True, False]]), [255, 0, 255, 0]),
        (np.array([[0.0, 0.5, 1.0, 0.25]], dtype=np.float16), [0, 128, 255, 64]),
    ],
)
def test_numbers_of_every_type_are_scaled(values, expected):
    assert to_rgb(values).tolist() == [[expected]] * 3


def test_four_channels_are_drawn_on_white():
    assert to_rgb(np.array([[[10, 20, 30, 255], [0, 0, 0, 0]]], dtype=np.uint8))[:, 0].T.tolist() == [
        [10, 20, 30],
        [255, 255, 255],
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.array([[0.0, 128.0]]), "values from 0 to 128: give whole numbers from 0 to 255, or floats from 0 to 1"),
        (np.array([[-1, 3]]), "values from -1 to 3"),
        (np.array([[0, 256]]), "values from 0 to 256"),
        (np.array([[np.nan, 0.5]]), "values from nan"),
        (np.zeros((2, 5, 7)), r"shape \[2, 5, 7\]: give one, three or four channels"),
        (np.zeros((5,)), r"shape \[5\]"),
        (np.zeros((0, 5)), "give an image that has pixels"),
        (np.array([["a"]]), "an array of <U1"),
        (np.zeros((2, 2), dtype=complex), "an array of complex128"),
        (torch.zeros(2, 2, dtype=torch.complex64), "complex"),
        ("cat.jpg", "a str: give a Pillow image"),
        (None, "a NoneType"),
    ],
)
def test_other_values_are_refused(wrong, message):
    with pytest.raises(ItmError, match=message):
        to_rgb(wrong)
    with pytest.raises(ItmError, match="^row 7"):
        to_rgb(wrong, "row 7")


def test_arrays_have_the_same_largest_size(monkeypatch):
    monkeypatch.setattr(pixels, "LARGEST", 11)
    with pytest.raises(ItmError, match="more than 11 pixels"):
        to_rgb(noise(3, 4))


def test_decoding_leaves_warnings_and_arrays_as_they_were(tmp_path):
    before, values = list(warnings.filters), noise(4, 5)
    copy = values.copy()
    to_rgb(values).zero_()
    decode(kept(Image.fromarray(values), tmp_path))
    assert warnings.filters == before and np.array_equal(values, copy)


def test_what_a_file_holds_is_decoded_like_the_file(tmp_path):
    noted = Image.Exif()
    noted[0x0112] = 6
    file = kept(Image.fromarray(noise(5, 9, 3)), tmp_path, exif=noted)
    assert torch.equal(decode(file.read_bytes()), decode(file))
    assert photographs.size_of(file.read_bytes()) == photographs.size_of(file) == (9, 5)
    for wrong, message in ((b"", "row 3 is empty"), (b"rubbish", "row 3 is cut short or not an image")):
        with pytest.raises(ItmError, match=message) as caught:
            decode(wrong, "row 3")
        assert "BytesIO" not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_a_name_with_a_line_break_is_shown_in_one_line(tmp_path):
    (tmp_path / "a\nb.jpg").write_bytes(b"no image")
    for file in (tmp_path / "a\nb.jpg", tmp_path / "c\nd.jpg"):
        with pytest.raises(ItmError) as error:
            decode(file)
        assert "\n" not in str(error.value) and "\\n" in str(error.value)
