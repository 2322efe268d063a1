"""Asks all nodes for their sums, some times, and writes how long each took."""

import json
import os
import time
from pathlib import Path

from flwr.app import ConfigRecord, Context, Message, MessageType, RecordDict
from flwr.serverapp import Grid, ServerApp

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    while len(list(grid.get_node_ids())) < 3:
        time.sleep(0.1)
    took = []
    for _ in range(int(context.run_config["rounds"])):
        started = time.perf_counter()
        asked = RecordDict({"asked": ConfigRecord({"column": "age"})})
        messages = [
            Message(asked, message_type=MessageType.QUERY, dst_node_id=node)
            for node in grid.get_node_ids()
        ]
        replies = list(grid.send_and_receive(messages))
        persons = sum(reply.content["sums"]["n"] for reply in replies)
        total = sum(reply.content["sums"]["sum"] for reply in replies)
        took.append(time.perf_counter() - started)
    out = Path(os.environ["SUM_OUT"])
    draft = out.with_suffix(".draft")
    draft.write_text(json.dumps({"mean": total / persons, "took": took}))
    draft.rename(out)
