"""Real people on real video through the real graph."""

import zipfile
from collections import Counter

import pytest

from dfer_ros.recordings.video import open_source


@pytest.mark.parametrize(
    ("clip_name", "expression"),
    [
        ("diyon335_happy", "happy"),
        ("styletalk_sadgirl_clip1", "sad"),
        ("diyon335_angry", "angry"),
        ("hci_neutral", "neutral"),
    ],
)
def test_the_graph_reads_a_real_clip(nodes, probe, clips_pack, tmp_path, clip_name, expression):
    with zipfile.ZipFile(clips_pack) as pack:
        video = pack.extract(f"clips/{clip_name}.mp4", tmp_path)
    nodes.start("face_detector_node")
    nodes.start("dfer_node")
    probe.publisher()
    probe.wait_for_graph()
    frames = [frame.image for frame in open_source(video).frames()]
    # Slower than it was taken, as some frames come closer than frame_rate allows.
    probe.feed(frames, stamps=[100.0 + index / 15 for index in range(len(frames))])
    named = Counter(emotion.expression for message in probe.emotions for emotion in message.emotions)
    assert named.most_common(1)[0][0] == expression
    assert len({emotion.face_id for message in probe.emotions for emotion in message.emotions}) == 1
