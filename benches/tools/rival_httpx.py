"""The script that one would write with httpx: 64 workers over the rows of a CSV file, the reply's word compared."""

import asyncio
import csv
import sys

import httpx


async def worker(client, url, login, rows, done):
    for row in rows:
        reply = await client.get(url, params={**login, **row})
        if reply.status_code == 200 and ">Successful<" in reply.text:
            done.append(row["PurchaseID"])


async def main(base, path):
    login = {"UserID": "bench", "UserAccessKey": "bench-key"}
    done = []
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    with open(path, newline="") as file:
        rows = csv.DictReader(file)
        async with httpx.AsyncClient(limits=limits, timeout=30) as client:
            url = f"{base}/adm.asmx/InsertConsumerNote"
            await asyncio.gather(*(worker(client, url, login, rows, done) for _ in range(64)))
    print(len(done))


asyncio.run(main(*sys.argv[1:]))
