"""What a holder computes."""

import csv
from pathlib import Path

from flwr.app import Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()


@app.query()
def query(message: Message, context: Context) -> Message:
    with Path(str(context.node_config["data"])).open() as file:
        ages = [float(row["age"]) for row in csv.DictReader(file)]
    sums = {"n": len(ages), "sum": sum(ages), "sumsq": sum(age * age for age in ages)}
    return Message(RecordDict({"sums": MetricRecord(sums)}), reply_to=message)
