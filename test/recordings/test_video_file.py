"""What FFmpeg reads, as a player shows it, and what it says of videos that are cut or damaged."""

import multiprocessing
import os
import subprocess
import sys
import threading
from fractions import Fraction
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import av
import cv2
import numpy as np
import pytest
from made_videos import CODECS, cut, numbered, write_video

from dfer_ros.core.errors import SourceError
from dfer_ros.recordings.container_structure import is_cut_or_damaged
from dfer_ros.recordings.video import open_source
from dfer_ros.recordings.video_file import VideoFile

TURN = 65536
SIZE = (240, 320, 3)


def walked(source):
    """Return the images of a source, the source walked to its end."""
    return [frame.image for frame in source.frames()]


def difference(one, other):
    return np.abs(one.astype(int) - other).mean()


def noisy(index):
    noise = np.random.default_rng(index).integers(-20, 20, SIZE)
    return np.clip(numbered(index) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("suffix", CODECS)
def test_every_usual_format_is_read_whole_and_said_to_be(tmp_path, suffix):
    source = VideoFile(write_video(tmp_path / f"clip{suffix}", 20))
    images = walked(source)
    assert len(images) == 20
    assert all(difference(image, numbered(index)) < 6 for index, image in enumerate(images))
    assert source.shortfall is None
    assert source.remarks == []


def test_av1_is_read(tmp_path):
    # In a process of its own: as root the encoder takes the highest real-time priority, and keeps it when it has ended.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        path = pool.apply(write_video, (tmp_path / "clip.mp4", 5), {"codec": "libsvtav1"})
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
    source = VideoFile(path)
    assert difference(walked(source)[4], numbered(4)) < 6


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_video_is_turned_as_its_display_matrix_says(tmp_path, degrees):
    image = walked(VideoFile(write_video(tmp_path / "phone.mp4", 3, rotation=degrees)))[0]
    assert difference(image, np.rot90(numbered(0), degrees // 90)) < 6


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((-TURN, 0, 0, 0, TURN, 0, 0, 0, 1 << 30), lambda image: image[:, ::-1]),
        ((TURN, 0, 0, 0, -TURN, 0, 0, 0, 1 << 30), lambda image: image[::-1]),
        ((0, TURN, 0, TURN, 0, 0, 0, 0, 1 << 30), lambda image: image.transpose(1, 0, 2)),
        ((0, -TURN, 0, -TURN, 0, 0, 0, 0, 1 << 30), lambda image: image[::-1, ::-1].transpose(1, 0, 2)),
    ],
    ids=["mirrored", "upside down", "transposed", "transposed the other way"],
)
def test_a_mirrored_video_is_mirrored(tmp_path, matrix, shown):
    image = walked(VideoFile(write_video(tmp_path / "selfie.mp4", 3, matrix=matrix)))[0]
    assert difference(image, shown(numbered(0))) < 6


@pytest.mark.parametrize(("aspect", "width"), [(Fraction(4, 3), 427), (Fraction(8, 9), 284), (Fraction(1), 320)])
def test_pixels_are_made_square(tmp_path, aspect, width):
    image = walked(VideoFile(write_video(tmp_path / "dvd.mp4", 3, pixel_aspect=aspect)))[0]
    assert image.shape == (240, width, 3)
    assert difference(image, cv2.resize(numbered(0), (width, 240))) < 6


def test_stretched_pixels_of_a_turned_video_are_stretched_before_it_is_turned(tmp_path):
    path = write_video(tmp_path / "phone.mp4", 3, pixel_aspect=Fraction(4, 3), rotation=90)
    assert walked(VideoFile(path))[0].shape == (427, 240, 3)


@pytest.mark.parametrize(("width", "height"), [(160, 120), (640, 480), (240, 320)])
def test_pictures_whose_size_changes_have_that_of_the_first(tmp_path, width, height):
    small = write_video(tmp_path / "two.h264", pictures=[numbered(index, width, height) for index in range(10)])
    path = write_video(tmp_path / "one.h264", 10)
    path.write_bytes(path.read_bytes() + small.read_bytes())
    source = VideoFile(path)
    images = walked(source)
    assert [image.shape for image in images] == [SIZE] * 20
    scale = min(320 / width, 240 / height)
    inner = cv2.resize(numbered(0, width, height), (round(width * scale), round(height * scale)))
    left = (320 - inner.shape[1]) // 2
    assert difference(images[10][:, left : left + inner.shape[1]], inner) < 8
    assert not images[10][:, : max(0, left - 1)].any()
    assert source.remarks == [
        f"The size of the pictures changes, first at frame 10 from 320x240 to {width}x{height}: they are scaled to the "
        "first size."
    ]


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".flv", ".h264", ".webm", ".avi", ".asf", ".vob", ".mxf"])
def test_a_video_that_lost_its_end_is_read_as_far_as_it_goes_and_says_so(tmp_path, suffix):
    path = cut(write_video(tmp_path / f"clip{suffix}", pictures=[noisy(index) for index in range(30)]), 0.8)
    source = VideoFile(path)
    images = walked(source)
    assert 0 < len(images) < 30
    shortfall = source.shortfall
    assert shortfall.read < shortfall.expected
    assert str(shortfall).startswith(f"only {shortfall.read} of {shortfall.expected} frames could be read: ")
    if suffix in (".mkv", ".flv", ".webm", ".avi", ".mxf"):
        assert shortfall.expected == 30


@pytest.mark.parametrize("suffix", [".mkv", ".webm", ".avi"])
def test_a_video_that_lost_its_last_frames_only_says_so(tmp_path, suffix):
    whole = write_video(tmp_path / f"clip{suffix}", pictures=[noisy(index) for index in range(30)])
    content = whole.read_bytes()
    counts = set()
    for share in np.linspace(0.9, 0.999, 25):
        path = tmp_path / f"cut{suffix}"
        path.write_bytes(content[: int(share * len(content))])
        source = VideoFile(path)
        counts.add(count := len(walked(source)))
        assert count == 30 or source.shortfall is not None, f"{count} of 30 frames of {share:.1%} of the file"
    assert len(counts) > 3


@pytest.mark.parametrize("suffix", CODECS)
def test_a_whole_video_has_the_structure_of_its_format(tmp_path, suffix):
    assert not is_cut_or_damaged(write_video(tmp_path / f"clip{suffix}", 10))


def with_index_first(path, frames=60):
    """Write an MP4 whose index comes before its pictures, as for the web."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for index in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy(index), format="bgr24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("threads", [1, 4, None])
def test_a_cut_mp4_gives_the_same_frames_with_any_number_of_threads(tmp_path, threads):
    source = VideoFile(cut(with_index_first(tmp_path / "clip.mp4")), threads)
    count = len(walked(source))
    # x264 writes another file each time: where the cut goes through a frame, that may be shown, and counts as damaged.
    assert source.shortfall.read in (count - 1, count)
    assert source.shortfall.expected == 60
    assert 20 < count < 40
    assert count == len(walked(VideoFile(tmp_path / "cut_clip.mp4", 2)))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi", "clip.ts", "clip.mkv", "clip.webm"])
def test_a_video_that_is_damaged_in_the_middle_is_read_to_its_end_and_says_so(tmp_path, name):
    path = tmp_path / name
    path = with_index_first(path) if name == "clip.mp4" else write_video(path, pictures=[noisy(i) for i in range(60)])
    content = bytearray(path.read_bytes())
    # In Matroska damage within one frame leaves no trace where the decoder can cover it up.
    middle, size = len(content) // 2, 20000 if name == "clip.mkv" else 4000
    content[middle : middle + size] = np.random.default_rng(0).integers(0, 256, size, np.uint8).tobytes()
    path.write_bytes(content)
    source = VideoFile(path)
    frames = list(source.frames())
    assert frames[-1].stamp > 1.8
    assert 30 < source.shortfall.read < source.shortfall.expected


def write_silence(container, sound):
    for index in range(100):
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        samples.sample_rate, samples.pts = 48000, 1024 * index
        container.mux(sound.encode(samples))
    container.mux(sound.encode())


def test_sound_that_is_longer_than_the_pictures_is_no_loss(tmp_path):
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        video, sound = container.add_stream("libx264", rate=30), container.add_stream("aac", rate=48000)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        for index in range(15):
            container.mux(video.encode(av.VideoFrame.from_ndarray(numbered(index), format="bgr24")))
        container.mux(video.encode())
        write_silence(container, sound)
    source = VideoFile(path)
    assert len(walked(source)) == 15
    assert source.shortfall is None


def test_sound_alone_is_said_to_have_no_pictures(tmp_path):
    path = tmp_path / "voice.mkv"
    with av.open(str(path), "w") as container:
        write_silence(container, container.add_stream("aac", rate=48000))
    with pytest.raises(SourceError, match=f"{path} holds sound, but no pictures"):
        VideoFile(path)


def test_a_video_without_a_decoder_is_not_called_damaged(tmp_path):
    path = write_video(tmp_path / "clip.avi", 5)
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"ZZZZ").replace(b"fmp4", b"zzzz"))
    with pytest.raises(SourceError, match=r"FFmpeg has no decoder here for the video in .*: convert it"):
        VideoFile(path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("clip.mp4", b"", "is empty: was its recording, or its copy, interrupted"),
        ("notes.txt", b"hello\n" * 1000, "is no video file"),
        ("clip.webm", b"no video" * 1000, "FFmpeg cannot open .* as a video"),
    ],
)
def test_what_is_no_video_is_said_to_be_none(tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=sentence):
        open_source(str(path))


@pytest.mark.parametrize(
    "name", ["12:30:05.mp4", "100%d.mp4", "a#b?c.mp4", "-.mp4", "映" * 80 + ".mp4", b"caf\xe9.mp4"]
)
def test_a_video_is_read_whatever_its_name(tmp_path, monkeypatch, name):
    plain = write_video(tmp_path / "plain.mp4", 4)
    plain.rename(tmp_path / os.fsdecode(name))
    monkeypatch.chdir(tmp_path)
    for source in (os.fsdecode(name), str(tmp_path / os.fsdecode(name))):
        assert len(list(open_source(source).frames())) == 4


def test_an_address_of_a_file_is_read_as_a_recording(tmp_path):
    write_video(tmp_path / "clip.mp4", 12)

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = open_source(f"http://127.0.0.1:{server.server_port}/clip.mp4")
        assert not source.live
        assert len(walked(source)) == 12
        with pytest.raises(SourceError, match=r"absent.mp4 cannot be opened .*: is the address right"):
            open_source(f"http://127.0.0.1:{server.server_port}/absent.mp4")
        server.shutdown()


def test_an_address_where_nobody_answers_is_a_sentence():
    with pytest.raises(SourceError, match=r"rtsp://127\.0\.0\.1:9/stream cannot be opened"):
        open_source("rtsp://127.0.0.1:9/stream")


def test_without_pyav_the_sentence_says_what_to_install(tmp_path):
    path = write_video(tmp_path / "clip.mp4", 2)
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from dfer_ros.recordings.video import open_source\n"
        "from dfer_ros.core.errors import SourceError\n"
        f"try: open_source({str(path)!r})\n"
        "except SourceError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "Reading videos needs PyAV" in done.stdout
    assert "apt install python3-av" in done.stdout
