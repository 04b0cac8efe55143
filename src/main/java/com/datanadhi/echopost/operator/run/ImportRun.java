package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.buffer.OfflineBuffer;
import com.datanadhi.echopost.operator.print.ProgressLine;
import com.datanadhi.echopost.operator.print.RecordLine;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/// Puts lines in, batch by batch, by the living agent or without one.
///
/// A batch is known by the digest of its lines and of all batches before it. The buffer keeps the
/// digest with the records, in one transaction, so nothing is put in twice, whoever is killed when.
/// For that the batches of the same lines must always be the same: they depend on nothing else.
public final class ImportRun implements BatchRun.Work {
  private static final int BATCH_RECORDS = 1_000;
  private static final int BATCH_BYTES = 1 << 20;

  /// What is read ahead, since nobody may wait for input while the directory's lock is held.
  private static final int BYTES_AHEAD = 4 * BATCH_BYTES;

  private final LineReader lines;
  private final Clock clock;
  private final ProgressLine progress;
  private final Queue<ImportBatch> ahead = new ArrayDeque<>();
  private final MessageDigest digest = sha256();
  private List<ImportBatch.Line> records = new ArrayList<>();
  private int bytes;
  private long aheadBytes;
  private boolean ended;
  private @Nullable IOException wrong;
  private long stored;
  private long passedOver;
  private boolean byAgent;

  /// @param again whether what was put in before is put in once more
  public ImportRun(InputStream in, boolean again, Clock clock, Terminal terminal) {
    this.lines = new LineReader(in);
    this.clock = clock;
    this.progress = new ProgressLine(terminal, clock);
    if (again) {
      byte[] seed = new byte[digest.getDigestLength()];
      new SecureRandom().nextBytes(seed);
      digest.update(seed);
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /// Does it all.
  ///
  /// @throws StorageException when the buffer cannot take the rest
  /// @throws IOException when the rest cannot be read, or a line of it is wrong
  public void run(Path directory) throws StorageException, IOException, InterruptedException {
    try {
      BatchRun.run(directory, this, clock);
      if (wrong != null) {
        throw wrong;
      }
    } catch (StorageException | IOException failed) {
      if (stored + passedOver > 0) {
        progress.sayNow(
            RejectedBatchRun.records(stored + passedOver)
                + " before that are in; run it again for the rest");
      }
      throw failed;
    }
  }

  @Override
  public void prepare() {
    try {
      while (!ended && aheadBytes < BYTES_AHEAD) {
        read();
      }
    } catch (IOException | IllegalArgumentException bad) {
      // What is whole goes in first.
      ended = true;
      wrong = writeTo(bad);
    }
  }

  private IOException writeTo(Exception bad) {
    String line = "line " + lines.number();
    if (bad instanceof IllegalArgumentException) {
      return new IOException(line + ": " + bad.getMessage(), bad);
    }
    return bad instanceof EOFException || bad instanceof ZipException
        ? new IOException(line + ": the compressed file is damaged or cut off there", bad)
        : new IOException(line + " cannot be read: " + bad.getMessage(), bad);
  }

  private void read() throws IOException {
    byte[] line = lines.next();
    if (line == null) {
      ended = true;
      endBatch();
      return;
    }
    if (new String(line, StandardCharsets.ISO_8859_1).isBlank()) {
      return;
    }
    ImportBatch.Line record = RecordLine.parse(line);
    int size = record.jsonData().length + record.pipelines().length;
    if (records.size() == BATCH_RECORDS || bytes + size > BATCH_BYTES) {
      endBatch();
    }
    digest.update(line);
    digest.update((byte) '\n');
    records.add(record);
    bytes += size;
  }

  private void endBatch() {
    if (records.isEmpty()) {
      return;
    }
    byte[] itsDigest = digest.digest();
    digest.update(itsDigest);
    ahead.add(new ImportBatch(itsDigest, records));
    aheadBytes += bytes;
    records = new ArrayList<>();
    bytes = 0;
  }

  @Override
  public boolean hasSlice() {
    return !ahead.isEmpty();
  }

  @Override
  public boolean byAgent(AgentClient agent) throws StorageException {
    ImportBatch batch = ahead.element();
    @Nullable Integer count = agent.store(batch);
    if (count == null) {
      return false;
    }
    byAgent = true;
    note(batch, count);
    return true;
  }

  @Override
  public void byMyself(OfflineBuffer buffer) throws StorageException, IOException {
    byAgent = false;
    ImportBatch batch = ahead.element();
    note(batch, buffer.importBatch(batch, clock.millis()));
  }

  private void note(ImportBatch batch, int count) {
    ImportBatch _ = ahead.remove();
    if (ahead.isEmpty()) {
      aheadBytes = 0;
    }
    stored += count;
    passedOver += batch.records().size() - count;
    progress.say(stored + " records put in so far, " + passedOver + " passed over");
  }

  /// How many records this run has put in.
  public long stored() {
    return stored;
  }

  /// How many were in already.
  public long passedOver() {
    return passedOver;
  }

  /// Whether an agent lives that did the last of it.
  public boolean byAgent() {
    return byAgent;
  }
}
