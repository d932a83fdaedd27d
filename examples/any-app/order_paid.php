<?php // php order_paid.php ORDER NOTE

/** False: there is such a job already. */
function enqueue(PDO $db, string $type, mixed $payload, DateTimeInterface $runAt, ?string $uniqueKey): bool
{
    $sql = 'INSERT INTO background_jobs (job_type, payload, run_at, unique_key) VALUES (?, ?, FROM_UNIXTIME(?), ?)';
    $text = json_encode($payload, JSON_THROW_ON_ERROR);
    try {
        return $db->prepare($sql)->execute([$type, $text, $runAt->getTimestamp(), $uniqueKey]);
    } catch (PDOException $error) {
        if ($error->errorInfo[1] !== 1062) throw $error;
        return false;
    }
}

[, $order, $note] = $argv;
$server = sprintf('mysql:host=%s;port=%s;dbname=%s', getenv('DB_HOST'), getenv('DB_PORT'), getenv('DB_NAME'));
$db = new PDO("$server;charset=utf8mb4", getenv('DB_USER'), getenv('DB_PASSWORD'));
$db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION); // as it is anyway since PHP 8

$db->beginTransaction();
try {
    $eight = new DateTimeImmutable('tomorrow 08:00', new DateTimeZone('UTC'));
    if (!enqueue($db, 'invoice.send', ['order' => (int) $order, 'note' => $note], $eight, "order $order")) {
        echo "order $order has its invoice already\n";
    }
    $db->prepare('INSERT INTO payments (order_id, note) VALUES (?, ?)')->execute([$order, $note]);
    $db->commit();
} catch (Throwable $error) {
    $db->rollBack();
    throw $error;
}
