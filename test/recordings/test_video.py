import os

import cv2
import numpy as np
import pytest
from made_videos import numbered
from PIL import Image

from dfer_ros.core.errors import SourceError
from dfer_ros.recordings.frame_source import DEFAULT_FPS
from dfer_ros.recordings.image_files import ImageFolder
from dfer_ros.recordings.video import open_source
from dfer_ros.recordings.video_file import VideoFile


def grey(value):
    return np.full((48, 64, 3), value, np.uint8)


def write_video(path, frames=20, fps=30, codec="MJPG"):
    """Write frames that grow brighter by ten from one to the next."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, (64, 48))
    assert writer.isOpened()
    for index in range(frames):
        writer.write(grey(10 * index))
    writer.release()
    return path


def write_images(folder, names):
    """Write an image for every name, each brighter by ten."""
    for index, name in enumerate(names):
        cv2.imwrite(str(folder / name), grey(10 * index))


def brightness(source):
    return [round(float(frame.image.mean()) / 10) for frame in source.frames()]


@pytest.mark.parametrize(("name", "codec"), [("clip.avi", "MJPG"), ("clip.mp4", "mp4v"), ("clip.mkv", "MJPG")])
def test_a_video_file_gives_its_frames_in_order(tmp_path, name, codec):
    source = open_source(str(write_video(tmp_path / name, codec=codec)))
    frames = list(source.frames())
    assert [frame.index for frame in frames] == list(range(20))
    assert brightness(source) == list(range(20))
    assert frames[0].image.shape == (48, 64, 3)
    assert frames[0].image.dtype == np.uint8
    assert not source.live


@pytest.mark.parametrize("fps", [10, 25, 30, 60])
@pytest.mark.parametrize(("name", "codec"), [("clip.avi", "MJPG"), ("clip.mp4", "mp4v")])
def test_a_video_file_is_stamped_by_its_own_rate_from_zero(tmp_path, name, codec, fps):
    source = VideoFile(write_video(tmp_path / name, fps=fps, codec=codec))
    assert source.fps == pytest.approx(fps)
    assert source.frame_count == 20
    assert [frame.stamp for frame in source.frames()] == pytest.approx(np.arange(20) / fps, abs=1e-3)


def test_one_decoding_thread_gives_the_same_frames(tmp_path):
    path = write_video(tmp_path / "clip.mp4", codec="mp4v")
    one, usual = (list(VideoFile(path, threads).frames()) for threads in (1, None))
    assert len(one) == len(usual) > 0
    assert all(np.array_equal(a.image, b.image) and a.stamp == b.stamp for a, b in zip(one, usual))


def test_a_video_file_can_be_walked_again(tmp_path):
    source = VideoFile(write_video(tmp_path / "clip.avi"))
    assert brightness(source) == brightness(source)


def test_a_name_with_spaces_and_accents_is_opened(tmp_path):
    source = open_source(str(write_video(tmp_path / "été à la plage.avi")))
    assert len(list(source.frames())) == 20


@pytest.mark.parametrize("content", [b"this is no video at all" * 100, bytes(10_000)])
def test_a_file_that_is_no_video_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=f"FFmpeg cannot open {path} as a video"):
        open_source(str(path))


def test_a_video_cut_before_its_index_is_an_error(tmp_path):
    path = write_video(tmp_path / "clip.mp4", codec="mp4v")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SourceError, match="is it a whole video file"):
        open_source(str(path))


def test_a_video_without_frames_is_an_error(tmp_path):
    path = write_video(tmp_path / "clip.avi")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"movi") + 4])
    with pytest.raises(SourceError, match="is it a whole video file"):
        list(open_source(str(path)).frames())


def test_a_folder_is_read_in_the_natural_order_of_its_names(tmp_path):
    names = ["frame2.png", "frame10.png", "frame9b.png", "frame9a.png", "1.png", "frame100.png", "frame02.png"]
    write_images(tmp_path, names)
    order = [names[index] for index in brightness(open_source(str(tmp_path)))]
    assert order.index("frame2.png") < order.index("frame9a.png") < order.index("frame9b.png")
    assert order.index("frame9b.png") < order.index("frame10.png") < order.index("frame100.png")
    assert order.index("frame02.png") < order.index("frame9a.png")


@pytest.mark.parametrize("fps", [5.0, 30.0, 120.0])
def test_a_folder_is_stamped_by_the_rate_given(tmp_path, fps):
    write_images(tmp_path, [f"{index}.png" for index in range(12)])
    source = open_source(str(tmp_path), fps)
    assert (source.fps, source.frame_count, source.live) == (fps, 12, False)
    frames = list(source.frames())
    assert [frame.stamp for frame in frames] == [index / fps for index in range(12)]
    assert [frame.index for frame in frames] == list(range(12))


def test_a_folder_without_a_rate_runs_at_thirty(tmp_path):
    write_images(tmp_path, ["a.png"])
    assert open_source(str(tmp_path)).fps == DEFAULT_FPS == 30.0


def test_all_image_files_of_a_folder_are_read_and_no_others(tmp_path):
    write_images(tmp_path, ["1.png", "2.JPG", "3.jpeg", "4.bmp", "5.webp", "6.tiff"])
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "7.json").write_text("{}")
    assert brightness(open_source(str(tmp_path))) == [0, 1, 2, 3, 4, 5]


def test_grey_and_transparent_images_become_bgr(tmp_path):
    cv2.imwrite(str(tmp_path / "1.png"), grey(50)[..., 0])
    cv2.imwrite(str(tmp_path / "2.png"), np.dstack([grey(60), grey(9)[..., 0]]))
    images = [frame.image for frame in open_source(str(tmp_path)).frames()]
    assert (images[0] == grey(50)).all()
    assert (images[1] == grey(60)).all()


def test_an_empty_folder_is_an_error_that_names_it(tmp_path):
    with pytest.raises(SourceError, match=f"There are no images in {tmp_path}: looked for .png, .jpg"):
        open_source(str(tmp_path))


def test_a_corrupt_image_in_a_folder_is_passed_over_and_named(tmp_path):
    write_images(tmp_path, ["1.png", "2.png", "3.png"])
    (tmp_path / "2.png").write_bytes(b"no image")
    folder = ImageFolder(tmp_path, 30.0)
    assert [frame.index for frame in folder.frames()] == [0, 2]
    assert folder.unreadable == [f"The image {tmp_path / '2.png'} cannot be decoded: remove it or save it again."]


def test_a_missing_source_is_an_error_that_says_what_can_be_given(tmp_path):
    with pytest.raises(SourceError, match=f"no file or folder {tmp_path / 'absent'}: give a video file, a folder"):
        open_source(str(tmp_path / "absent"))


def test_a_camera_that_is_not_there_is_an_error_that_names_it():
    with pytest.raises(SourceError, match="Camera 87 cannot be opened"):
        open_source("87")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("talk.bag", b"#ROSBAG V2.0\n", "talk.bag is a bag of ROS 1: 'rosbags-convert"),
        ("talk.mcap", b"", "talk.mcap is a bag, which 'dfer replay"),
        ("talk.db3.zstd", b"", "talk.db3.zstd is a bag, which 'dfer replay"),
    ],
)
def test_a_bag_is_no_video_and_the_error_says_what_plays_it(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=sentence):
        open_source(str(tmp_path / name))


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_a_picture_that_moves_is_read_whole(tmp_path, suffix):
    first, *others = [Image.fromarray(numbered(index)[..., ::-1]) for index in range(12)]
    path = tmp_path / os.fsdecode(b"caf\xe9" + suffix.encode())
    first.save(path, save_all=True, append_images=others, duration=40)
    source = open_source(str(path))
    frames = list(source.frames())
    assert [round(frame.stamp, 3) for frame in frames] == [round(0.04 * index, 3) for index in range(12)]
    assert all(np.abs(frame.image.astype(int) - numbered(frame.index)).mean() < 6 for frame in frames)
    assert source.fps == pytest.approx(25.0)


def test_a_picture_that_moves_and_is_cut_is_an_error(tmp_path):
    first, *others = [Image.fromarray(numbered(index)[..., ::-1]) for index in range(12)]
    path = tmp_path / "cut.webp"
    first.save(path, save_all=True, append_images=others)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(SourceError, match=r"cut\.webp is an animated WebP, which OpenCV .* cannot read: copy it again"):
        open_source(str(path))
