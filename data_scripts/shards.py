"""Prepares Parquet files, webdataset shards or a hub's set (needs the extra `hub`), and checks the prepared copy.

python data_scripts/shards.py --from DIR
python data_scripts/shards.py --check
"""

from itm_tutorial.data.readers.script import run

if __name__ == "__main__":
    run("shards")
