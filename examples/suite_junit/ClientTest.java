import java.util.Map;
import org.junit.jupiter.api.Test;

/** The client's own tests. They know nothing of the gate: endpoint and key come from the environment. */
class ClientTest {
    private final Client client = new Client(System.getenv("BRAZE_REST_ENDPOINT"), System.getenv("BRAZE_API_KEY"));

    @Test
    void anAttributeIsSet() throws Exception {
        client.set("user-1", Map.of("plan", "trial"));
    }

    @Test
    void anAttributeIsReplaced() throws Exception {
        client.set("user-1", Map.of("plan", "paid"));
    }

    @Test
    void anEventIsRecorded() throws Exception {
        client.event("user-2", "signed up");
    }
}
