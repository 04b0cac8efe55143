package com.datanadhi.hub.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.control.ApiKeys;
import com.datanadhi.hub.health.HealthReport;
import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Receipt;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.metrics.HubMetrics;
import com.datanadhi.hub.query.PipelinePage;
import com.datanadhi.hub.query.PipelineRecord;
import com.datanadhi.hub.query.Queries;
import com.datanadhi.hub.query.RecordPage;
import com.datanadhi.hub.query.SeqRange;
import com.datanadhi.hub.query.SourceReport;
import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.IdempotencyKey;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.tls.TlsSettings;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.EventLine;
import com.datanadhi.hub.view.Interval;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// A real door on loopback before a store in memory that keeps the rules of intake and query which
/// the door can see. What faults it has is set by the test.
final class TestHub implements AutoCloseable {
  static final String KEY = "dn-acme-1";
  static final String TENANT = "acme";
  static final long TIME = 1_700_000_000_123L;

  final HttpDoor door;
  final List<StoredEvent> events = new CopyOnWriteArrayList<>();
  final Map<String, Outcome.Stored> known = new ConcurrentHashMap<>();
  final Map<String, Content> contents = new ConcurrentHashMap<>();
  final Map<String, Long> firstSeqs = new ConcurrentHashMap<>();
  final List<Submission> quarantined = new CopyOnWriteArrayList<>();
  final List<String> answered = new CopyOnWriteArrayList<>();
  final AtomicLong leased = new AtomicLong();
  final Map<String, Long> cursors = new ConcurrentHashMap<>();
  volatile long memory = 64L << 20;
  volatile long mostLeased;
  volatile @Nullable Outcome forced;
  volatile @Nullable RuntimeException bug;
  volatile @Nullable String appendProblem;
  volatile boolean apiKeysReady = true;
  volatile boolean viewDown;
  volatile boolean isRevoked;
  volatile boolean applies = true;
  volatile @Nullable CountDownLatch gate;
  volatile CountDownLatch entered = new CountDownLatch(1);
  volatile HealthReport.Status health = HealthReport.Status.HEALTHY;

  TestHub(DoorSettings settings) throws IOException {
    this(settings, null);
  }

  TestHub(DoorSettings settings, @Nullable TlsSettings tls) throws IOException {
    this.door =
        new HttpDoor(
            settings,
            new Services(
                this::identify,
                new MemoryAppender(),
                this::lease,
                new MemoryRecords(),
                new MemoryHealth(),
                accept ->
                    new HubMetrics.Text(
                        "text/plain; version=0.0.4", ("# accept " + accept + "\n").getBytes(UTF_8)),
                (route, status, nanos) -> answered.add(route + " " + status)));
    door.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), tls);
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + door.port() + path);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    door.close();
  }

  /// Puts a record into the store, as one that came another way.
  void add(String key, List<String> pipelines, String logData) {
    store(key, List.of(new RecordData(pipelines, logData.getBytes(UTF_8))));
  }

  private synchronized long store(String key, List<RecordData> records) {
    long first = events.size() + 1L;
    int part = 1;
    for (RecordData record : records) {
      JsonText pipelines = new JsonText().raw("[");
      String separator = "";
      for (String pipeline : record.pipelines()) {
        pipelines.raw(separator).string(pipeline);
        separator = ",";
      }
      long seq = events.size() + 1L;
      events.add(
          new StoredEvent(
              seq,
              key,
              part++,
              TIME + seq,
              "00000000/events-0:" + (seq - 1),
              pipelines.raw("]").toString(),
              record.logData(),
              Digests.content(List.of(record)).digest(),
              "fsync"));
    }
    firstSeqs.put(key, first);
    notifyAll();
    return first;
  }

  private ApiKeys.Identity identify(@Nullable String apiKey) {
    if (!apiKeysReady) {
      return new ApiKeys.NotReady();
    }
    return KEY.equals(apiKey) && !isRevoked
        ? new ApiKeys.Known(TENANT)
        : new ApiKeys.Unknown(
            apiKey == null
                ? "The request has no API key. Send it in the header DATANADHI-API-KEY."
                : "The API key is not known. Create one with: echopost-hub key create.");
  }

  private Admission.@Nullable Lease lease(String tenant, long bytes) {
    Admission.Lease lease =
        new Admission.Lease() {
          private long held;

          @Override
          public boolean tryGrow(long more) {
            synchronized (TestHub.this) {
              if (leased.get() + more > memory) {
                return false;
              }
              held += more;
              mostLeased = Math.max(mostLeased, leased.addAndGet(more));
              return true;
            }
          }

          @Override
          public boolean couldGrow(long more) {
            return held + more <= memory;
          }

          @Override
          public void close() {
            leased.addAndGet(-held);
            held = 0;
          }
        };
    return lease.tryGrow(bytes) ? lease : null;
  }

  private final class MemoryAppender implements Appender {
    @Override
    public Outcome submit(String tenant, Submission transaction) throws InterruptedException {
      entered.countDown();
      CountDownLatch wait = gate;
      if (wait != null) {
        wait.await();
      }
      RuntimeException fault = bug;
      if (fault != null) {
        throw fault;
      }
      Outcome outcome = forced;
      return outcome != null ? outcome : judge(tenant, transaction, true);
    }

    private Outcome judge(String tenant, Submission transaction, boolean store) {
      String key = transaction.key() == null ? UUID.randomUUID().toString() : transaction.key();
      if (!IdempotencyKey.isValid(key)) {
        return new Outcome.Invalid(400, "Bad key", "A key has 1 to 255 visible ASCII characters.");
      }
      Content content = Digests.content(transaction.records());
      Outcome.Stored before = known.get(key);
      if (before != null) {
        Content stored = contents.getOrDefault(key, content);
        return stored.equals(content)
            ? new Outcome.Stored(before.receipt(), true, -1)
            : new Outcome.Conflict(key, stored, content);
      }
      Outcome.Stored stored =
          new Outcome.Stored(
              new Receipt(tenant, key, content.digest(), "fsync"), false, events.size());
      if (transaction.quarantine() != null) {
        quarantined.add(transaction);
      } else if (store) {
        known.put(key, stored);
        contents.put(key, content);
        store(key, transaction.records());
      }
      return stored;
    }

    @Override
    public List<Outcome> submitEach(String tenant, List<Submission> transactions)
        throws InterruptedException {
      List<Outcome> outcomes = new ArrayList<>();
      for (Submission transaction : transactions) {
        outcomes.add(submit(tenant, transaction));
      }
      return outcomes;
    }

    @Override
    public List<Outcome> submitTogether(String tenant, List<Submission> transactions)
        throws InterruptedException {
      List<Outcome> outcomes = new ArrayList<>();
      for (Submission transaction : transactions) {
        outcomes.add(judge(tenant, transaction, false));
      }
      boolean stored = outcomes.stream().allMatch(outcome -> outcome instanceof Outcome.Stored);
      return stored ? submitEach(tenant, transactions) : outcomes;
    }
  }

  private final class MemoryRecords implements RecordSource {
    private static final int PAGE = 100;

    private void check() throws ViewException {
      if (viewDown) {
        throw new ViewException(ViewException.Kind.UNAVAILABLE, "it is being rebuilt", null);
      }
    }

    @Override
    public RecordPage<EventLine> records(String tenant, EventFilter filter) throws ViewException {
      check();
      List<EventLine> found = new ArrayList<>();
      long next = filter.from();
      int limit = Math.min(PAGE, filter.limit());
      for (StoredEvent event : events) {
        if (event.seq() < filter.from()) {
          continue;
        }
        if (found.size() == limit) {
          return new RecordPage<>(found, next, true);
        }
        next = event.seq() + 1;
        String pipeline = filter.pipeline();
        if ((pipeline == null || event.pipelines().contains("\"" + pipeline + "\""))
            && (filter.since() == null || event.receivedAt() >= filter.since())
            && (filter.until() == null || event.receivedAt() <= filter.until())) {
          found.add(event.line());
        }
      }
      return new RecordPage<>(found, next, found.size() == limit);
    }

    @Override
    public boolean awaitSeq(String tenant, long seq, Duration timeout) throws InterruptedException {
      long deadline = System.nanoTime() + timeout.toNanos();
      synchronized (TestHub.this) {
        long left = timeout.toMillis();
        while (events.size() < seq && left > 0) {
          TestHub.this.wait(left);
          left = (deadline - System.nanoTime()) / 1_000_000;
        }
      }
      return events.size() >= seq;
    }

    @Override
    public @Nullable SeqRange awaitApplied(String tenant, String key, long offset, Duration timeout)
        throws InterruptedException {
      Long first = firstSeqs.get(key);
      if (!applies || first == null) {
        // Nothing is applied any more, so the whole time passes.
        boolean never = new CountDownLatch(1).await(timeout.toNanos(), TimeUnit.NANOSECONDS);
        return never ? new SeqRange(0, 0) : null;
      }
      long records = events.stream().filter(event -> event.key().equals(key)).count();
      return new SeqRange(first, first + records - 1);
    }

    @Override
    public Queries.@Nullable ReceiptState receipt(String tenant, String key) throws ViewException {
      check();
      Long first = firstSeqs.get(key);
      Outcome.Stored stored = known.get(key);
      return first == null || stored == null
          ? null
          : new Queries.ReceiptState(
              tenant,
              key,
              stored.receipt().sha256(),
              first,
              1,
              "00000000/events-0:" + (first - 1),
              TIME + first);
    }

    @Override
    public List<SourceReport> sourceReports(String tenant, @Nullable String source)
        throws ViewException {
      check();
      return List.of(
          new SourceReport(
              "0123456789abcdef0123456789abcdef", 5, 3, List.of(new Interval(4, 4)), 1, TIME));
    }

    @Override
    public PipelinePage page(
        String tenant, String pipeline, String consumer, int limit, Duration wait)
        throws ViewException {
      check();
      long cursor = cursors.getOrDefault(pipeline + "/" + consumer, 0L);
      List<PipelineRecord> records = new ArrayList<>();
      long n = 0;
      for (StoredEvent event : events) {
        if (event.pipelines().contains("\"" + pipeline + "\"")) {
          n++;
          if (n > cursor && records.size() < limit) {
            records.add(new PipelineRecord(n, event.line()));
          }
        }
      }
      return new PipelinePage(
          records, cursor, pipeline.equals("expired") ? new Interval(1, 7) : null);
    }

    @Override
    public void moveCursor(String tenant, String pipeline, String consumer, long through) {
      cursors.put(pipeline + "/" + consumer, through);
    }
  }

  private final class MemoryHealth implements HealthSource {
    @Override
    public @Nullable String appendProblem() {
      return appendProblem;
    }

    @Override
    public HealthReport report() {
      Map<String, String> components = new LinkedHashMap<>();
      components.put("wal", "connected");
      components.put("sqlite", "ok");
      return new HealthReport(health, components, 50, null, List.of());
    }
  }
}
