"""Recordings in, answers out: videos, folders of images and bags; JSONL files, tracks, episodes."""
