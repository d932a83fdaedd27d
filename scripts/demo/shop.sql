CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, city VARCHAR(40), amount DECIMAL(8, 2), ordered_on DATE);
INSERT INTO orders (city, amount, ordered_on) VALUES
  ('Lyon', 19.90, '2026-02-01'), ('Porto', 240.00, '2026-02-03'), ('Lyon', 75.50, '2026-02-03'),
  ('Gdańsk', 12.00, '2026-02-07'), ('Porto', 31.25, '2026-02-09'), ('Lyon', 8.40, '2026-02-11');
