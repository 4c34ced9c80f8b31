"""The script that one would write with aiohttp: 64 workers over the rows of a CSV file, the reply's word compared."""

import asyncio
import csv
import sys

import aiohttp


async def worker(session, url, login, rows, done):
    for row in rows:
        async with session.get(url, params={**login, **row}) as reply:
            if reply.status == 200 and ">Successful<" in await reply.text():
                done.append(row["PurchaseID"])


async def main(base, path):
    login = {"UserID": "bench", "UserAccessKey": "bench-key"}
    done = []
    with open(path, newline="") as file:
        rows = csv.DictReader(file)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:
            url = f"{base}/adm.asmx/InsertConsumerNote"
            await asyncio.gather(*(worker(session, url, login, rows, done) for _ in range(64)))
    print(len(done))


asyncio.run(main(*sys.argv[1:]))
