"""The cache and file writing: a file or folder is complete or absent, even if many processes start at once."""

from itm_tutorial.storage.disk import (
    cache_dir,
    check_writable,
    disk_errors,
    flush,
    make_folder,
    user_path,
    whole_file,
)
from itm_tutorial.storage.folders import one_at_a_time, prepare_folder, replace_folder, whole_folder
from itm_tutorial.storage.formats import (
    checked,
    fault_in,
    file_digest,
    read_json,
    read_tensors,
    read_toml,
    write_json,
    write_tensors,
    write_text,
)
from itm_tutorial.storage.lines import append_lines
from itm_tutorial.storage.places import course_folder, in_course

__all__ = [
    "append_lines",
    "cache_dir",
    "check_writable",
    "checked",
    "course_folder",
    "disk_errors",
    "fault_in",
    "file_digest",
    "flush",
    "in_course",
    "make_folder",
    "one_at_a_time",
    "prepare_folder",
    "read_json",
    "read_tensors",
    "read_toml",
    "replace_folder",
    "user_path",
    "whole_file",
    "whole_folder",
    "write_json",
    "write_tensors",
    "write_text",
]
