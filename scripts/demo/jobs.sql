INSERT INTO background_jobs (job_type, payload) VALUES
  ('email.send', '{"to": "Ann <ann@example.com>", "subject": "Your order", "text": "It is on its way."}'),
  ('email.send', '{"to": "Bo <bo@example.com>", "subject": "Grüße 📦", "text": "Thanks, Bo!"}'),
  ('email.send', '{"to": "not an address", "subject": 42}'),
  ('report.generate', '{"report": "sales_by_city", "params": {"since": "2026-02-01"}, "file": "sales.csv"}'),
  ('words.count', '"four words in JSON"'),
  ('stock.sync', NULL);
