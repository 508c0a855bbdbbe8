"""Small data sets in the layouts that are published, made of a real portrait and a made clip.

Each function writes one below `root` and returns what a loader has to find there: by name, the split and the label.
"""

import csv
import zipfile

import cv2
import numpy as np
from PIL import Image

from dfer_ros.core.labels import LABELS

CLIP_FRAMES = 5


class Pictures:
    """A portrait [512, 512, 3], and frames of a clip [480, 640, 3], BGR."""

    def __init__(self, portrait, frames):
        self.portrait = portrait
        self.frames = frames

    def still(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), self.portrait)

    def face(self, path, side):
        """Write the tight square of the face."""
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), cv2.resize(self.portrait[48:176, 160:288], (side, side)))

    def folder(self, path):
        path.mkdir(parents=True)
        for number, frame in enumerate(self.frames, 1):
            assert cv2.imwrite(str(path / f"{number:05d}.jpg"), frame)

    def video(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (640, 480))
        for frame in self.frames:
            writer.write(frame)
        writer.release()

    def gif(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        images = [Image.fromarray(frame[..., ::-1]) for frame in self.frames]
        images[0].save(path, save_all=True, append_images=images[1:], duration=100)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def ferv39k(root, pictures):
    lists = root / "4_setups" / "All_scenes"
    write(lists / "train_All.csv", "Action/Happy/0010 Happy\nCrime/Fear/0002 Fear\n")
    write(lists / "test_All.csv", "Action/Neutral/0011 Neutral\n")
    clips = root / "2_ClipsforFaceCrop"
    pictures.folder(clips / "Action/Happy/0010")
    pictures.video(clips / "Crime/Fear/0002.mp4")
    pictures.folder(clips / "Action/Neutral/0011")
    return {
        "Action/Happy/0010": ("train", "happy"),
        "Crime/Fear/0002": ("train", "fear"),
        "Action/Neutral/0011": ("test", "neutral"),
    }


def dfew(root, pictures):
    lists = root / "EmoLabel_DataSplit"
    for fold in range(1, 6):
        test = {1: "7,6"}.get(fold, "3,3")
        train = {1: "3,3\n12,1\n15,0"}.get(fold, "7,6\n12,1")
        write(lists / "train(single-labeled)" / f"set_{fold}.csv", f"video_name,label\n{train}\n")
        write(lists / "test(single-labeled)" / f"set_{fold}.csv", f"video_name,label\n{test}\n")
    for name in ("3", "00007", "12"):
        pictures.video(root / "Clip" / "original" / f"{name}.mp4")
    return {"00003": ("train", "neutral"), "00012": ("train", "happy"), "00007": ("test", "disgust")}


def mafw(root, pictures):
    lists = root / "Train & Test Set" / "single" / "no_caption"
    for fold in range(1, 6):
        write(lists / f"set_{fold}" / "train.txt", "00151.mp4 anger\n00152.mp4 contempt\n00153.mp4 surprise\n")
        write(lists / f"set_{fold}" / "test.txt", "00160.mp4 sadness\n00161.mp4 helplessness\n")
    for name in ("00151", "00153", "00160"):
        pictures.folder(root / "data" / "frames" / name)
    return {"00151": ("train", "angry"), "00153": ("train", "surprise"), "00160": ("test", "sad")}


def ck_plus(root, pictures):
    labels = {"S005_001": 3, "S010_002": 7, "S010_004": 1, "S011_001": 2, "S014_005": 5}
    for name, label in labels.items():
        person, sequence = name.split("_")
        folder = root / "cohn-kanade-images" / person / sequence
        pictures.folder(folder)
        (folder / ".DS_Store").write_bytes(b"\0")
        write(root / "Emotion" / person / sequence / f"{name}_00000005_emotion.txt", f"   {label:.7e}\n")
    pictures.folder(root / "cohn-kanade-images" / "S005" / "002")
    return {
        "S005_001": ("test", "disgust"),
        "S010_002": ("validation", "surprise"),
        "S010_004": ("validation", "angry"),
        "S014_005": ("train", "happy"),
    }


def affectnet(root, pictures):
    for split, stills in {"train": {"10": 1, "11": 7, "12": 6}, "val": {"3": 4}}.items():
        for name, label in stills.items():
            pictures.still(root / f"{split}_set" / "images" / f"{name}.jpg")
            (root / f"{split}_set" / "annotations").mkdir(exist_ok=True)
            np.save(root / f"{split}_set" / "annotations" / f"{name}_exp.npy", np.array(str(label)))
    return {"train/10": ("train", "happy"), "train/12": ("train", "angry"), "val/3": ("validation", "fear")}


def affectnet_lists(root, pictures):
    head = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal\n"
    row = "{},160,48,128,128,1;2,{},0.1,0.2\n"
    lists = root / "Manually_Annotated_file_lists"
    write(lists / "training.csv", head + row.format("1/ab.jpg", 3) + row.format("1/cd.jpg", 10))
    write(lists / "validation.csv", head + row.format("2/ef.jpg", 5))
    for name in ("1/ab.jpg", "2/ef.jpg"):
        pictures.still(root / "Manually_Annotated" / "Manually_Annotated_Images" / name)
    return {"train/1/ab": ("train", "surprise"), "validation/2/ef": ("validation", "disgust")}


def affectnet_folders(root, pictures):
    for place in ("train/Anger/1.png", "train/contempt/2.png", "val/0/3.png", "test/happy/4.png"):
        pictures.still(root / place)
    return {
        "train/Anger/1": ("train", "angry"),
        "val/0/3": ("validation", "neutral"),
        "test/happy/4": ("test", "happy"),
    }


def fer2013(root, pictures):
    grey = cv2.cvtColor(cv2.resize(pictures.portrait[48:176, 160:288], (48, 48)), cv2.COLOR_BGR2GRAY)
    pixels = " ".join(str(value) for value in grey.ravel())
    usages = ("Training", "Training", "PublicTest", "PublicTest", "PrivateTest")
    votes = (
        "4,0,0,2,3,1,0,0,0,0",
        "0,0,0,0,0,0,0,0,0,10",
        "0,9,0,1,0,0,0,0,0,0",
        "2,2,2,0,2,0,0,0,2,0",
        "0,0,8,0,0,0,2,0,0,0",
    )
    head = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    write(root / "fer2013.csv", "emotion,pixels,Usage\n" + "".join(f"0,{pixels},{usage}\n" for usage in usages))
    rows = [f"{usage},fer{number:07d}.png,{vote}\n" for number, (usage, vote) in enumerate(zip(usages, votes))]
    write(root / "fer2013new.csv", head + "".join(rows))
    return {
        "train/00000": ("train", "neutral"),
        "validation/00002": ("validation", "happy"),
        "test/00004": ("test", "surprise"),
    }


def raf_db(root, pictures):
    labels = {"train_00001": 5, "train_00002": 1, "test_0001": 7}
    write(root / "basic/EmoLabel/list_patition_label.txt", "".join(f"{name}.jpg {n}\n" for name, n in labels.items()))
    for name in labels:
        pictures.face(root / "basic" / "Image" / "aligned" / f"{name}_aligned.jpg", 100)
    return {"train_00001": ("train", "sad"), "train_00002": ("train", "surprise"), "test_0001": ("test", "neutral")}


def kdef(root, pictures):
    for name in ("AF01/AF01ANS", "BF01/BF01SUHL", "AM28/AM28NES", "BF35/BF35AFHR", "AF31/AF31V"):
        pictures.still(root / "KDEF" / f"{name}.JPG")
    return {
        "F01/AF01ANS": ("train", "angry"),
        "F01/BF01SUHL": ("train", "surprise"),
        "M28/AM28NES": ("validation", "neutral"),
        "F35/BF35AFHR": ("test", "fear"),
    }


def dynamic_clips(root, pictures):
    pictures.video(root / "clips" / "mead_W009_happy.mp4")
    pictures.gif(root / "clips" / "feid_fear_1.gif")
    pictures.folder(root / "ckplus" / "S055_001")
    rows = (
        ("clips/mead_W009_happy.mp4", "happy", "mead", "mead_W009", 25.0),
        ("clips/feid_fear_1.gif", "fear", "feid", "feid_1", 10.0),
        ("ckplus/S055_001", "disgust", "ckplus", "S055", 30.0),
    )
    with (root / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("path", "label", "source", "subject", "fps", "frames"), *((*row, 5) for row in rows)]
        )
    return {
        "mead/mead_W009_happy": ("test", "happy"),
        "feid/feid_fear_1": ("test", "fear"),
        "ckplus/S055_001": ("test", "disgust"),
    }


def affectnet7(root, pictures, stills=1):
    expected = {}
    for folder, split in {"train": "train", "val": "validation"}.items():
        for label in LABELS:
            for number in range(stills):
                pictures.face(root / folder / label / f"{number:05d}.jpg", 128)
                expected[f"{folder}/{label}/{number:05d}.jpg"] = (split, label)
    return expected


def ferplus(root, pictures):
    head = "image,neutral,happy,sad,angry,surprise,fear,disgust,contempt,unknown,not_face\n"
    write(root / "train.csv", head + "train/00000.jpg,4,0,0,3,0,0,2,0,1,0\ntrain/00001.jpg,1,1,1,0,1,0,0,5,1,0\n")
    write(root / "val.csv", head + "val/00002.jpg,0,0,7,0,1,2,0,0,0,0\n")
    for name in ("train/00000.jpg", "train/00001.jpg", "val/00002.jpg"):
        pictures.face(root / name, 80)
    return {"train/00000.jpg": ("train", "neutral"), "val/00002.jpg": ("validation", "sad")}


def lfw_expr(root, pictures):
    pictures.face(root / "train" / "sad" / "00007.jpg", 128)
    return {"train/sad/00007.jpg": ("train", "sad")}


def ck48(root, pictures):
    for place in ("angry/S055_004_00000017.png", "fear/S011_003_00000014.png"):
        pictures.face(root / place, 48)
    return {"angry/S055_004_00000017.png": ("test", "angry"), "fear/S011_003_00000014.png": ("train", "fear")}


def rafdb(root, pictures):
    names = {
        "train/sad/train_00016_aligned.jpg": ("validation", "sad"),
        "train/sad/train_00017_aligned.jpg": ("train", "sad"),
        "test/happy/test_0003_aligned.jpg": ("test", "happy"),
    }
    for name in (*names, "train/fear/train_00018_aligned.jpg"):
        pictures.face(root / name, 100)
    write(root / "lists" / "occlusion.txt", "test/happy/test_0003_aligned.jpg\n" * 2)
    write(root / "lists" / "pose30.txt", "test/happy/test_0003_aligned.jpg\n")
    twins = "train/fear/train_00018_aligned.jpg,test/happy/test_0003_aligned.jpg"
    write(root / "near_duplicates_within.csv", f"a,b\n{twins}\n")
    return names


def dynamic_clips_2(root, pictures):
    pictures.video(root / "clips" / "film__sad.mp4")
    pictures.gif(root / "clips" / "lab__fear.gif")
    write(
        root / "manifest.csv",
        "path,label,source,subject,fps,frames,kind,quality,licence\n"
        'clips/film__sad.mp4,sad,seine_film,actor,25.0,5,film,A,"not stated, a film"\n'
        "clips/lab__fear.gif,fear,metool_micro,g01,10.0,5,micro,B,not stated\n",
    )
    return {"seine_film/film__sad": ("test", "sad"), "metool_micro/lab__fear": ("test", "fear")}


RAW = {
    "ferv39k": ferv39k,
    "dfew": dfew,
    "mafw": mafw,
    "ck_plus": ck_plus,
    "affectnet": affectnet,
    "fer2013": fer2013,
    "raf_db": raf_db,
    "kdef": kdef,
    "dynamic_clips": dynamic_clips,
    "dynamic_clips_2": dynamic_clips_2,
}
ALIGNED = {"affectnet7": affectnet7, "ferplus": ferplus, "lfw_expr": lfw_expr, "ck48": ck48, "rafdb": rafdb}
MADE = {**RAW, **ALIGNED}


def zipped(folder, path):
    """Return a zip file with the content of a folder."""
    with zipfile.ZipFile(path, "w") as pack:
        for file in sorted(folder.rglob("*")):
            pack.write(file, file.relative_to(folder).as_posix())
    return path
