"""What is deployed fits the nodes: the image, the service, the SROS2 policy, and what the privacy page promises."""

import contextlib
import fnmatch
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from launch_arguments import ARGUMENTS, MORE_ARGUMENTS

from dfer_ros.core.labels import EXPRESSIONS
from dfer_ros.recordings.demo_clip import FPS
from dfer_ros.recordings.video_output import VideoOutput
from dfer_ros.ros.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[1]
DEPLOY = CHECKOUT / "deploy"
PAGES = ("deployment.md", "privacy.md")
NODES = {
    path.stem: ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)
    for path in (CHECKOUT / "dfer_ros").rglob("*_node.py")
    if "def main(" in path.read_text(encoding="utf-8")
}
"""The nodes, and their modules."""
RULES = {
    "publisher": ("topics", "publish"),
    "subscriber": ("topics", "subscribe"),
    "service": ("services", "reply"),
    "client": ("services", "request"),
}
"""What a node may have in the graph, and by which rule of an SROS2 policy."""
NAMESPACE, VARIANT = "/dfer", "/variant"


def text(path):
    return path.read_text(encoding="utf-8")


def instructions(name):
    """Return what follows one instruction of the Dockerfile, wherever it stands."""
    lines = re.sub(r"\\\n", " ", text(DEPLOY / "Dockerfile")).splitlines()
    return [line.removeprefix(name).strip() for line in lines if line.startswith(f"{name} ")]


def test_the_image_copies_what_is_there():
    copied = [shlex.split(line)[:-1] for line in instructions("COPY") if not line.startswith("--from")]
    sources = [source for sources in copied for source in sources]
    assert len(sources) > 8
    assert [source for source in sources if not (CHECKOUT / source).exists()] == []
    kept = re.findall(r"^!(\S+)$", text(DEPLOY / "Dockerfile.dockerignore"), re.MULTILINE)
    kept += [f"{pattern}/*" for pattern in kept]
    assert [source for source in sources if not any(fnmatch.fnmatch(source, pattern) for pattern in kept)] == []


def test_the_image_installs_from_pip_what_the_package_asks_for():
    (command,) = (line for line in instructions("RUN") if "pip install" in line)
    named = {re.split(r"[<>=]", word)[0] for word in shlex.split(command.split("--no-cache-dir")[1])}
    required = re.search(r"install_requires=\[(.*?)\]", text(CHECKOUT / "setup.py"), re.DOTALL).group(1)
    # Without a display OpenCV is smaller; the other requirements come from rosdep.
    assert {name.removesuffix("-headless") for name in named} <= set(re.findall(r'"([\w-]+)"', required))


def test_the_image_skips_only_dependencies_that_are_there():
    (command,) = (line for line in instructions("RUN") if "rosdep install" in line)
    skipped = re.search(r'--skip-keys "([^"]+)"', command).group(1).split()
    assert set(skipped) <= set(re.findall(r"<exec_depend>(.*?)<", text(CHECKOUT / "package.xml")))


@pytest.mark.parametrize("script", ["entrypoint.sh", "healthcheck.sh"])
def test_a_script_of_the_image_is_one(script):
    assert os.access(DEPLOY / script, os.X_OK)
    subprocess.run(["bash", "-n", DEPLOY / script], check=True)


@pytest.mark.parametrize("file", [DEPLOY / "dfer.service", *(CHECKOUT / "docs" / page for page in PAGES)])
def test_launch_arguments_that_are_named_exist(file):
    commands = re.findall(r"ros2 launch dfer_ros (\S+)((?:\s+\S+:=(?:\"[^\"]*\"|\S+))*)", text(file))
    for launch_file, given in commands:
        known = {**ARGUMENTS, **MORE_ARGUMENTS[launch_file]}
        assert set(re.findall(r"(\w+):=", given)) <= set(known)
    assert commands or file.name == "privacy.md"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_service(tmp_path):
    # systemd asks whether the user exists: here it is the one who tests.
    unit = text(DEPLOY / "dfer.service").replace("User=robot", f"User={os.getuid()}")
    (tmp_path / "dfer.service").write_text(unit)
    said = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "dfer.service"], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES)
def test_the_links_of_a_page_lead_somewhere(page):
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text(CHECKOUT / "docs" / page)) if "://" not in link]
    assert [link for link in links if not (CHECKOUT / "docs" / link).exists()] == []


def test_the_python_of_a_page_is_python():
    blocks = re.findall(r"```python\n(.*?)```", text(CHECKOUT / "docs" / "deployment.md"), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        compile(block, "deployment.md", "exec")


TOGETHER = f"{NAMESPACE}/perception_node"


def enclaves():
    """Return the profiles of the policy by enclave."""
    found = ElementTree.parse(DEPLOY / "sros2" / "policy.xml").getroot().find("enclaves")
    return {enclave.get("path"): list(enclave.iter("profile")) for enclave in found}


def profiles():
    """Return the profiles of the policy by node, with the enclave of each."""
    found = ((path, profile) for path, of_enclave in enclaves().items() if path != TOGETHER for profile in of_enclave)
    return {profile.get("node"): (path, profile) for path, profile in found}


def allowed(profile, kind):
    """Return the full names, wildcards among them, that a profile allows a node to have."""
    element, qualifier = RULES[kind]
    names = {child.text for part in profile.findall(element) if part.get(qualifier) == "ALLOW" for child in part}
    ns, node = profile.get("ns"), profile.get("node")
    return {name if name.startswith("/") else f"{ns}/{name.replace('~', node)}" for name in names}


def test_every_node_has_an_enclave_with_its_full_name():
    assert set(enclaves()) == {f"{NAMESPACE}/{node}" for node in (*NODES, "operator")}
    assert {path for path, _ in profiles().values()} == {f"{NAMESPACE}/{node}" for node in profiles()}


def test_both_nodes_in_one_process_may_do_what_they_may_in_two():
    def rules(profile):
        return ElementTree.canonicalize(ElementTree.tostring(profile), strip_text=True)

    apart = [profiles()[node][1] for node in ("face_detector_node", "dfer_node")]
    assert [rules(profile) for profile in enclaves()[TOGETHER]] == [rules(profile) for profile in apart]


def test_the_sros2_tools_find_no_comment_among_the_enclaves():
    assert "<!--" not in text(DEPLOY / "sros2" / "policy.xml").split("<policy")[1]


class Graph:
    """All nodes with all that they can do, twice where one choice excludes another, and what they have in the graph."""

    def __init__(self, folder, clip_file):
        self.folder = folder
        self._processes = []
        sim_time = ("-p", "use_sim_time:=true")
        self._start("face_detector_node", NAMESPACE, "-p", "hri:=true")
        self._start("dfer_node", NAMESPACE, "-p", "hri:=true", "-p", "precision:=int8")
        self._start("overlay_node", NAMESPACE, *sim_time)
        self._start("video_source_node", NAMESPACE, "-p", f"source:={clip_file}", "-p", "loop:=true")
        for behavior in ("greet_node", "speech_rate_node", "smile_tree_node"):
            self._start(behavior, NAMESPACE, *sim_time)
        self._start("face_detector_node", VARIANT, "-p", "image_transport:=compressed", *sim_time)
        self._start("dfer_node", VARIANT, "-p", "input:=hri", "-p", "precision:=int8", *sim_time)
        self._start("overlay_node", VARIANT, "-p", "image_transport:=compressed")

    def _start(self, node, namespace, *arguments):
        environment = {**os.environ, "ROS_LOG_DIR": str(self.folder / "log")}
        # In these ONNX Runtime is silent of itself; on a robot nobody sets them.
        for name in ("CI", "GITHUB_ACTIONS", "TF_BUILD", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS"):
            environment.pop(name, None)
        for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
            environment[name] = str(self.folder / name)
            Path(environment[name]).mkdir(exist_ok=True)
        environment["PYTHONPATH"] = str(CHECKOUT)
        command = [sys.executable, "-m", NODES[node], "--ros-args", "-r", f"__ns:={namespace}"]
        remap = ["-r", "image:=/camera/image_raw"]
        process = subprocess.Popen([*command, *remap, *arguments], env=environment, cwd=environment["TMPDIR"])
        self._processes.append(process)

    def stop(self):
        for process in self._processes:
            process.send_signal(signal.SIGINT)
        return [process.wait(60.0) for process in self._processes]


def observed(observer, node, kind):
    """Return the names that a node has in the graph, in both namespaces, as if they were one."""
    names = set()
    for namespace in (NAMESPACE, VARIANT):
        with contextlib.suppress(Exception):  # it is not there yet, or not in this namespace
            found = getattr(observer, f"get_{kind}_names_and_types_by_node")(node, namespace)
            names |= {re.sub(f"^{VARIANT}/", f"{NAMESPACE}/", name) for name, _ in found}
    return names


def unused(observer):
    """Return what the policy allows and no node has."""
    return {
        (node, kind, name)
        for node, (_, profile) in profiles().items()
        for kind in RULES
        for name in allowed(profile, kind)
        if node in NODES and not fnmatch.filter(observed(observer, node, kind), name)
    }


def forbidden(observer):
    """Return what nodes have and the policy does not allow."""
    return {
        (node, kind, name)
        for node in NODES
        for kind in RULES
        for name in observed(observer, node, kind)
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in allowed(profiles()[node][1], kind))
    }


@pytest.fixture(scope="module")
def ran(clip, mediapipe_detector, tmp_path_factory):
    """Run the graph until it has all that the policy knows; return what was unused and forbidden, and the folder."""
    pytest.importorskip("hri_msgs", reason="hri_msgs is not installed")
    frames = pytest.importorskip("tf2_msgs.msg", reason="tf2_msgs is not installed")
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from sensor_msgs.msg import Image

    folder = tmp_path_factory.mktemp("graph")
    clip_file = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoOutput(clip_file, FPS) as video:
        for frame in clip:
            video.write(frame)
    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    observer = rclpy.create_node("observer", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(observer)
    for namespace in (NAMESPACE, VARIANT):
        observer.create_subscription(Image, f"{namespace}/overlay", lambda _: None, 1)
    # Whoever hears of heads has the detector ask for the calibration of the camera.
    observer.create_subscription(frames.TFMessage, "/tf", lambda _: None, 1)
    graph = Graph(folder, clip_file)
    try:
        never_used = unused(observer)

        def all_is_used():
            # Not all at the same moment: some comes and goes with a face.
            never_used.intersection_update(unused(observer))
            return not never_used

        wait_until(all_is_used, 120.0, lambda: executor.spin_once(timeout_sec=0.5))
        found = never_used, forbidden(observer)
    finally:
        codes = graph.stop()
        observer.destroy_node()
        executor.shutdown()
        context.try_shutdown()
    assert set(codes) == {0}
    return (*found, folder)


def test_the_policy_allows_all_that_the_nodes_have(ran):
    assert ran[1] == set()


def test_the_policy_allows_nothing_that_no_node_has(ran):
    assert ran[0] == set()


def test_the_nodes_write_nothing_but_logs(ran):
    folder = ran[2]
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert written
    # mediapipe imports matplotlib, which lists the fonts of the computer.
    ours = [path for path in written if not path.name.startswith("fontlist-")]
    assert [path for path in ours if path.parent != folder / "log" or path.suffix != ".log"] == []


def test_the_logs_of_the_nodes_tell_nothing_of_people(ran):
    logs = [text(path) for path in (ran[2] / "log").iterdir()]
    assert any("Reading emotions" in log for log in logs)
    ours = [line for log in logs for line in log.splitlines() if not re.search(r"greet_node|speech_rate_node", line)]
    assert [line for line in ours if re.search("|".join(EXPRESSIONS), line)] == []
