import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.DataNadhiConfiguration;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * An application that logs with the SDK: submits {@code {"n":1}}, {@code {"n":2}}, … until a line
 * comes on its standard input. It prints counters now and then, and when the client is closed.
 *
 * <p>usage: SdkApplication.java DIRECTORY SERVER_URL, with DATANADHI_API_KEY in the environment
 */
public final class SdkApplication {
  private static final int PAUSE_MILLIS = 2;
  private static final int RECORDS_PER_REPORT = 50;

  private SdkApplication() {}

  public static void main(String[] args) throws Exception {
    DataNadhi client =
        DataNadhi.open(
            DataNadhiConfiguration.builder(Path.of(args[0]))
                .apiKey(System.getenv("DATANADHI_API_KEY"))
                .serverHost(args[1])
                // Nobody listens there.
                .fallbackHost("http://127.0.0.1:1")
                .queueSize(50_000)
                .workers(1)
                .build());
    for (int n = 1; System.in.available() == 0; n++) {
      while (!client.submit(List.of("sdk"), Map.of("n", n)).isAccepted()) {
        Thread.sleep(PAUSE_MILLIS);
      }
      if (n % RECORDS_PER_REPORT == 0) {
        report(client.counters());
      }
      Thread.sleep(PAUSE_MILLIS);
    }
    client.close();
    report(client.counters());
  }

  private static void report(Counters counters) {
    System.out.printf(
        "{\"submitted\":%d,\"main\":%d,\"echopost\":%d,\"fallback\":%d,\"dropped\":%d,\"lost\":%d}%n",
        counters.submitted(),
        counters.deliveredToMainServer(),
        counters.deliveredToEchoPost(),
        counters.deliveredToFallback(),
        counters.droppedTotal(),
        counters.lost());
  }
}
