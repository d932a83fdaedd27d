# python3 order_paid.py ORDER NOTE
import json, os, sys
from datetime import datetime, timedelta, timezone

import pymysql


def enqueue(db, job_type, payload, run_at, unique_key):
    """False: there is such a job already."""
    sql = 'INSERT INTO background_jobs (job_type, payload, run_at, unique_key) VALUES (%s, %s, FROM_UNIXTIME(%s), %s)'
    try:
        with db.cursor() as cursor:
            cursor.execute(sql, (job_type, json.dumps(payload), run_at.timestamp(), unique_key))
    except pymysql.err.IntegrityError as error:
        if error.args[0] != 1062:
            raise
        return False
    return True


order, note = sys.argv[1:]
db = pymysql.connect(
    host=os.environ['DB_HOST'],
    port=int(os.environ['DB_PORT']),
    database=os.environ['DB_NAME'],
    user=os.environ['DB_USER'],
    password=os.environ['DB_PASSWORD'],
    charset='utf8mb4',
)

try:
    eight = datetime.now(timezone.utc).replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=1)
    if not enqueue(db, 'invoice.send', {'order': int(order), 'note': note}, eight, f'order {order}'):
        print(f'order {order} has its invoice already')
    with db.cursor() as cursor:
        cursor.execute('INSERT INTO payments (order_id, note) VALUES (%s, %s)', (order, note))
    db.commit()
except BaseException:
    db.rollback()
    raise
