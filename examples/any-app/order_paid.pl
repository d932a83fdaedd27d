# perl order_paid.pl ORDER NOTE
use strict;
use warnings;
use DBI;
use Encode 'decode';
use JSON::PP;
use Time::Local 'timegm';

# False: there is such a job already.
sub enqueue {
    my ($db, $type, $payload, $run_at, $unique_key) = @_;
    my $json = JSON::PP->new->encode($payload); # characters; encode_json makes bytes, which would be encoded twice
    my $sql = 'INSERT INTO background_jobs (job_type, payload, run_at, unique_key) VALUES (?, ?, FROM_UNIXTIME(?), ?)';
    return 1 if eval { $db->do($sql, undef, $type, $json, $run_at, $unique_key) };
    die $@ unless ($db->err // 0) == 1062;
    return 0;
}

my ($order, $note) = map { decode('UTF-8', $_) } @ARGV;
my $db = DBI->connect(
    "dbi:mysql:host=$ENV{DB_HOST};port=$ENV{DB_PORT};database=$ENV{DB_NAME}",
    $ENV{DB_USER}, $ENV{DB_PASSWORD},
    { RaiseError => 1, PrintError => 0, mysql_enable_utf8mb4 => 1 },
);

$db->begin_work;
eval {
    my (undef, undef, undef, $day, $month, $year) = gmtime(time + 24 * 60 * 60);
    my $eight = timegm(0, 0, 8, $day, $month, $year + 1900);
    enqueue($db, 'invoice.send', { order => $order + 0, note => $note }, $eight, "order $order")
        or print "order $order has its invoice already\n";
    $db->do('INSERT INTO payments (order_id, note) VALUES (?, ?)', undef, $order, $note);
    $db->commit;
    1;
} or do {
    my $error = $@;
    $db->rollback;
    die $error;
};
