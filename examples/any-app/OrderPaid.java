// java -cp 'mariadb-java-client.jar:jackson-*.jar' OrderPaid.java ORDER NOTE
import com.fasterxml.jackson.databind.ObjectMapper;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Map;

class OrderPaid {
    static final ObjectMapper JSON = new ObjectMapper();

    /** False: there is such a job already. */
    static boolean enqueue(Connection db, String type, Object payload, Instant runAt, String uniqueKey) throws Exception {
        var sql = "INSERT INTO background_jobs (job_type, payload, run_at, unique_key) VALUES (?, ?, FROM_UNIXTIME(?), ?)";
        try (var insert = db.prepareStatement(sql)) {
            insert.setString(1, type);
            insert.setString(2, JSON.writeValueAsString(payload));
            insert.setLong(3, runAt.getEpochSecond());
            insert.setString(4, uniqueKey);
            insert.executeUpdate();
            return true;
        } catch (SQLException error) {
            if (error.getErrorCode() != 1062) throw error;
            return false;
        }
    }

    public static void main(String[] args) throws Exception {
        String order = args[0], note = args[1];
        var env = System.getenv();
        try (var db = DriverManager.getConnection(env.get("DB_URL"), env.get("DB_USER"), env.get("DB_PASSWORD"))) {
            db.setAutoCommit(false);
            try (var payment = db.prepareStatement("INSERT INTO payments (order_id, note) VALUES (?, ?)")) {
                var eight = LocalDate.now(ZoneOffset.UTC).plusDays(1).atTime(8, 0).toInstant(ZoneOffset.UTC);
                var payload = Map.of("order", Long.parseLong(order), "note", note);
                if (!enqueue(db, "invoice.send", payload, eight, "order " + order)) {
                    System.out.println("order " + order + " has its invoice already");
                }
                payment.setString(1, order);
                payment.setString(2, note);
                payment.executeUpdate();
                db.commit();
            } catch (Throwable error) {
                db.rollback();
                throw error;
            }
        }
    }
}
