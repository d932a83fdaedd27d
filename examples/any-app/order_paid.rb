# ruby order_paid.rb ORDER NOTE
require 'json'
require 'mysql2'

# False: there is such a job already.
def enqueue(db, type, payload, run_at, unique_key)
  sql = 'INSERT INTO background_jobs (job_type, payload, run_at, unique_key) VALUES (?, ?, FROM_UNIXTIME(?), ?)'
  db.prepare(sql).execute(type, JSON.generate(payload), run_at.to_f, unique_key)
  true
rescue Mysql2::Error => error
  raise unless error.error_number == 1062
  false
end

order, note = ARGV
db = Mysql2::Client.new(
  host: ENV['DB_HOST'], port: ENV['DB_PORT'].to_i, database: ENV['DB_NAME'],
  username: ENV['DB_USER'], password: ENV['DB_PASSWORD'], encoding: 'utf8mb4'
)

db.query('START TRANSACTION')
begin
  tomorrow = Time.now.utc + 24 * 60 * 60
  eight = Time.utc(tomorrow.year, tomorrow.month, tomorrow.day, 8)
  unless enqueue(db, 'invoice.send', { order: Integer(order), note: note }, eight, "order #{order}")
    puts "order #{order} has its invoice already"
  end
  db.prepare('INSERT INTO payments (order_id, note) VALUES (?, ?)').execute(order, note)
  db.query('COMMIT')
rescue Exception
  db.query('ROLLBACK')
  raise
end
