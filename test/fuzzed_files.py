"""Damaged files of every kind that dfer reads, made from seeds, and what its readers say of them.

Run as a program, it reads COUNT inputs of KIND and prints a line of JSON for each: its seed, how it was damaged, and
what came of it. A process of its own, so that a crash or a hang of a library ends that and not the tests.
"""

import faulthandler
import json
import random
import resource
import shutil
import sys
import warnings
from pathlib import Path

import cv2
from made_bags import write_clip
from made_videos import CODECS, numbered, write_video

from dfer_ros.bags.repair import repair_bag
from dfer_ros.comparison.labelled_times import read_labels
from dfer_ros.core.errors import DferError, sentence
from dfer_ros.core.model.folder import open_model_folder
from dfer_ros.recordings.answer_file import read_answer_file
from dfer_ros.recordings.bag_emotions import read_bag_emotions
from dfer_ros.recordings.recording_analysis import AnalysisConfig, nothing_read, open_recording

LONGEST_SECONDS = 60
"""For one input, on a busy machine."""
FRAMES = 12
CHECKOUT = Path(__file__).resolve().parents[1]
VIDEO_SUFFIXES = (*CODECS, ".gif")
ANNOUNCING = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".flv")
"""Of the videos that say how long they are to be: of one that was cut something must be said."""
PICTURES = (".jpg", ".png", ".bmp", ".webp", ".tiff")


def cut(content, chance):
    return content[: chance.randrange(len(content))]


def flipped(content, chance):
    spoiled = bytearray(content)
    for _ in range(chance.choice((1, 10, 100))):
        spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def overwritten(content, chance):
    begin, size = chance.randrange(len(content)), chance.choice((1, 64, 4096))
    return content[:begin] + chance.randbytes(min(size, len(content) - begin)) + content[begin + size :]


def holed(content, chance):
    begin = chance.randrange(len(content))
    return content[:begin] + content[begin + chance.choice((1, 64, 4096)) :]


def doubled(content, chance):
    begin = chance.randrange(len(content))
    return content[:begin] + content


def random_bytes(content, chance):
    return content[: chance.choice((0, 16, 256))] + chance.randbytes(chance.choice((0, 1, 5000)))


DAMAGES = (cut, flipped, overwritten, holed, doubled, random_bytes)


def frames_of(path):
    """Walk a recording, and return how many frames it gave, and all that was said of it."""
    source = open_recording(str(path), AnalysisConfig())
    count = sum(frame.image.size > 0 for frame in source.frames())
    if not count:
        raise nothing_read(str(path), source)
    return count, [*source.unreadable, *source.remarks, *([str(source.shortfall)] if source.shortfall else [])]


class Videos:
    def __init__(self, folder):
        pictures = [numbered(index, 160, 120) for index in range(FRAMES)]
        self._originals = {}
        for suffix in VIDEO_SUFFIXES:
            path = folder / f"whole{suffix}"
            if suffix == ".gif":
                from PIL import Image

                first, *others = [Image.fromarray(picture[..., ::-1]) for picture in pictures]
                first.save(path, save_all=True, append_images=others, duration=40)
            else:
                write_video(path, pictures=pictures)
            self._originals[suffix] = path.read_bytes()

    def read(self, folder, damage, chance):
        suffix = chance.choice(VIDEO_SUFFIXES)
        path = folder / f"video{suffix}"
        content = damage(self._originals[suffix], chance)
        path.write_bytes(content)
        count, said = frames_of(path)
        lost = damage is cut and suffix in ANNOUNCING and count < FRAMES
        assert said or not lost, f"{count} of {FRAMES} frames of {len(content)} bytes of a {suffix}, without a word"
        return count, said


class Pictures:
    def __init__(self, folder):
        self._originals = {suffix: cv2.imencode(suffix, numbered(3))[1].tobytes() for suffix in PICTURES}

    def read(self, folder, damage, chance):
        suffix = chance.choice(PICTURES)
        path = folder / f"picture{suffix}"
        path.write_bytes(damage(self._originals[suffix], chance))
        return frames_of(path)


class Bags:
    def __init__(self, folder):
        pictures = [numbered(index, 64, 48) for index in range(FRAMES)]
        self._originals = [
            write_clip(folder / f"whole_{form}", pictures, form, compressed=True) for form in ("mcap", "sqlite3")
        ]

    def read(self, folder, damage, chance):
        bag = folder / "bag"
        shutil.rmtree(bag, ignore_errors=True)
        shutil.copytree(chance.choice(self._originals), bag)
        file = chance.choice(sorted(bag.iterdir()))
        file.write_bytes(damage(file.read_bytes(), chance))
        shutil.rmtree(folder / "repaired", ignore_errors=True)
        said = []
        for read in (
            lambda: repair_bag(bag, folder / "repaired", "mcap") and None,
            lambda: read_bag_emotions(bag) and None,
        ):
            try:
                read()
            except DferError as error:
                said.append(check_sentence(error))
        count, remarks = frames_of(bag)
        return count, [*said, *remarks]


class Texts:
    """Text files of one kind. read: what reads them. more: values that replace a word of them."""

    def __init__(self, name, contents, read):
        self._name, self._contents, self._read = name, contents, read

    def read(self, folder, damage, chance):
        path = folder / self._name
        content = damage(chance.choice(self._contents), chance)
        if chance.random() < 0.5:
            words = content.split(b" ")
            words[chance.randrange(len(words))] = chance.choice(VALUES)
            content = b" ".join(words)
        path.write_bytes(content)
        self._read(path)
        return 1, []


VALUES = (
    *(b"nan", b"-1", b"1e999", b"[]", b"{}", b"null", b"true", b"''", b"\x00", b"\xff\xfe", b"9" * 400, b"[" * 3000),
    *(b"&a [*a]", b"!!python/object:os.system x", b"2024-13-45", b"0x", b"\n\n", b",", b'"', b"\t", b": ", b"- "),
)


def records():
    probabilities = dict.fromkeys(("neutral", "happy", "sad", "angry", "surprised", "scared", "disgusted"), 0.1)
    lines = []
    for index in range(20):
        record = {"stamp": index / 30, "frame": index, "face_id": "face1", "roi": [1, 2, 30, 40]}
        record |= {"expression": "happy", "confidence": 0.5, "probabilities": probabilities | {"happy": 0.4}}
        record |= {"valence": 0.1, "arousal": 0.2, "intensity": 0.3, "phase": "apex", "window_seconds": 1.0}
        lines.append(json.dumps(record))
    return "\n".join(lines).encode()


def answers(_):
    return Texts("answers.jsonl", [records()], read_answer_file)


def labels(_):
    contents = [
        b"start,end,expression\n0, 2,happy\n2, 4,sad\n5,6, neutral\n",
        "start;end;expression;note\n0,0;2,0;happy;ä\n2,0;3,5; sad;b\n".encode("utf-16"),
        "face_id\tstart\tend\texpression\nface1\t0\t2\t happy\n".encode("utf-8-sig"),
    ]
    return Texts("labels.csv", contents, read_labels)


def models(_):
    return Texts("model.yaml", [file.read_bytes() for file in CHECKOUT.glob("models/*/model.yaml")], read_model)


def read_model(path):
    return open_model_folder(str(path.parent))


def trainings(_):
    from dfer_ros.training.configuration import read_configuration

    contents = [file.read_bytes() for file in sorted(CHECKOUT.glob("config/training/*.yaml"))]
    return Texts("training.yaml", contents, read_configuration)


def parameters(_):
    from dfer_ros.ros.starting import start_ros

    def read(path):
        import rclpy

        try:
            start_ros(["--ros-args", "--params-file", str(path)])
            read_parameters()
        finally:
            rclpy.try_shutdown()

    return Texts("parameters.yaml", [(CHECKOUT / "config" / "face_detector_node.yaml").read_bytes()], read)


def read_parameters():
    import rclpy

    from dfer_ros.nodes.face_stream import FaceDetectorNodeConfig
    from dfer_ros.ros.parameters import declare_parameters
    from dfer_ros.ros.starting import ros_refusals

    with ros_refusals("ROS 2 cannot start"):
        node = rclpy.create_node("face_detector_node")
    try:
        declare_parameters(node, FaceDetectorNodeConfig())
    finally:
        node.destroy_node()


KINDS = {
    "videos": Videos,
    "pictures": Pictures,
    "bags": Bags,
    "answers": answers,
    "labels": labels,
    "models": models,
    "trainings": trainings,
    "parameters": parameters,
}


def check_sentence(error):
    """Return an error as it is said; raises AssertionError where it is no sentence that a person can use."""
    said = sentence(error)
    assert said, "an error without a word"
    assert "please report" not in said.lower(), said
    assert "Traceback" not in said, said
    return said


def main(kind, first, count, folder):
    """Read inputs of a kind, of the seeds first, first + 1 and so on."""
    warnings.simplefilter("ignore")
    folder = Path(folder)
    fuzzed = KINDS[kind](folder)
    for seed in range(int(first), int(first) + int(count)):
        chance = random.Random(f"{kind} {seed}")
        damage = chance.choice(DAMAGES)
        told = {"seed": seed, "damage": damage.__name__}
        say(told)
        faulthandler.dump_traceback_later(LONGEST_SECONDS, exit=True)
        try:
            frames, said = fuzzed.read(folder, damage, chance)
            for remark in said:
                check_sentence(remark)
            told |= {"read": frames, "said": said[:1]}
        except DferError as error:
            told |= {"refused": check_sentence(error)}
        faulthandler.cancel_dump_traceback_later()
        say(told)
    say({"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})


def say(told):
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
