import json

import pytest
from made_answers import LEFT, made_answers

from dfer_ros.comparison.comparison import compare_recordings
from dfer_ros.comparison.json_result import json_result
from dfer_ros.comparison.tolerances import check


def test_the_result_holds_every_figure_and_is_json():
    old, new = (
        made_answers({"face1": (LEFT, course)}, name=name)
        for course, name in ((["happy"] * 100, "old"), (["happy"] * 90 + ["sad"] * 10, "new"))
    )
    comparison = compare_recordings(old, new)
    result = json_result(comparison, check(comparison, {"min-agreement": 0.95}))
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert (result["agreement"], result["frames"], result["answers_compared"]) == (0.9, 100, 100)
    assert result["old"]["name"] == "old"
    assert result["old"]["labels"] is None
    assert result["new"]["flips_per_minute"] == pytest.approx(15.0)
    assert result["changes"] == [
        {"old": "happy", "new": "happy", "answers": 90},
        {"old": "happy", "new": "sad", "answers": 10},
    ]
    assert result["people"] == [{"old_id": "face1", "new_id": "face1", "frames": 100, "agreement": 0.9}]
    assert sum(each["answers"] for each in result["over_time"]) == 100
    assert result["within"] is False
    assert result["checks"][0]["name"] == "min-agreement"
    assert result["verdict"].startswith("Beyond tolerance, 1 of 1")
