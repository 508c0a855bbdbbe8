import json

import pytest
from made_answers import LEFT, made_answers

from dfer_ros.comparison.comparison import compare_recordings
from dfer_ros.comparison.json_result import comparison_record
from dfer_ros.comparison.tolerances import check


def test_the_record_holds_every_figure_and_is_json():
    old, new = (
        made_answers({"face1": (LEFT, course)}, name=name)
        for course, name in ((["happy"] * 100, "old"), (["happy"] * 90 + ["sad"] * 10, "new"))
    )
    comparison = compare_recordings(old, new)
    record = comparison_record(comparison, check(comparison, {"min-agreement": 0.95}))
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert (record["agreement"], record["frames"], record["answers_compared"]) == (0.9, 100, 100)
    assert record["old"]["name"] == "old"
    assert record["old"]["labels"] is None
    assert record["new"]["flips_per_minute"] == pytest.approx(15.0)
    assert record["changes"] == [
        {"old": "happy", "new": "happy", "answers": 90},
        {"old": "happy", "new": "sad", "answers": 10},
    ]
    assert record["people"] == [{"old_id": "face1", "new_id": "face1", "frames": 100, "agreement": 0.9}]
    assert sum(each["answers"] for each in record["over_time"]) == 100
    assert record["within"] is False
    assert record["checks"][0]["name"] == "min-agreement"
    assert record["verdict"].startswith("Beyond tolerance, 1 of 1")
