package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.buffer.OfflineBuffer;
import com.datanadhi.echopost.operator.print.ProgressLine;
import com.datanadhi.echopost.operator.print.Quantities;
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

/// Imports records from lines, batch by batch, through the running agent or without one.
///
/// The id of a batch is a digest over its lines and those of all batches before it. The buffer
/// stores it in the same transaction as the records, so that no batch is imported twice, even if
/// the command or the agent is killed. This requires that the same lines are always divided into
/// the same batches, so the division depends on nothing but the lines.
public final class ImportRun implements BatchRun.Work {
  private static final int MAX_BATCH_RECORDS = 1_000;
  private static final int MAX_BATCH_BYTES = 1 << 20;

  /// The number of bytes to read ahead, since a command must not wait for input while it holds the
  /// directory's lock.
  private static final int READ_AHEAD_BYTES = 4 * MAX_BATCH_BYTES;

  private final LineReader lines;
  private final Clock clock;
  private final ProgressLine progress;
  private final Queue<ImportBatch> batches = new ArrayDeque<>();
  private final MessageDigest digest = sha256();
  private List<ImportBatch.Line> records = new ArrayList<>();
  private int recordsBytes;
  private long batchesBytes;
  private boolean inputEnded;
  private @Nullable IOException inputFailure;
  private long stored;
  private long skipped;
  private boolean byAgent;

  /// @param again whether batches that were imported before are imported again
  /// @param terminal for progress
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

  /// Imports all lines.
  ///
  /// @throws StorageException if the buffer cannot store the rest
  /// @throws IOException if the rest cannot be read, or one of its lines is not a valid record
  public void run(Path directory) throws StorageException, IOException, InterruptedException {
    try {
      BatchRun.run(directory, this, clock);
      if (inputFailure != null) {
        throw inputFailure;
      }
    } catch (StorageException | IOException failed) {
      if (stored + skipped > 0) {
        progress.print(Quantities.records(stored + skipped) + " are imported, the rest is not:");
      }
      throw failed;
    }
  }

  @Override
  public void prepare() {
    try {
      while (!inputEnded && batchesBytes < READ_AHEAD_BYTES) {
        readLine();
      }
    } catch (IOException | IllegalArgumentException bad) {
      // The complete batches before it are imported first.
      inputEnded = true;
      inputFailure = describe(bad);
    }
  }

  private IOException describe(Exception bad) {
    String line = "line " + lines.number();
    if (bad instanceof IllegalArgumentException) {
      String format = InputFormat.describe(lines.start());
      return new IOException(
          line
              + ": "
              + bad.getMessage()
              + "; "
              + (format == null ? "correct the line and import the file again" : format),
          bad);
    }
    return bad instanceof EOFException || bad instanceof ZipException
        ? new IOException(
            line + ": the compressed file is damaged or truncated here; export it again", bad)
        : new IOException(line + " cannot be read: " + bad.getMessage(), bad);
  }

  private void readLine() throws IOException {
    byte[] line = lines.next();
    if (line == null) {
      inputEnded = true;
      endBatch();
      return;
    }
    if (new String(line, StandardCharsets.ISO_8859_1).isBlank()) {
      return;
    }
    ImportBatch.Line record = RecordLine.parse(line);
    int size = record.jsonData().length + record.pipelines().length;
    if (records.size() == MAX_BATCH_RECORDS || recordsBytes + size > MAX_BATCH_BYTES) {
      endBatch();
    }
    digest.update(line);
    digest.update((byte) '\n');
    records.add(record);
    recordsBytes += size;
  }

  private void endBatch() {
    if (records.isEmpty()) {
      return;
    }
    byte[] batchDigest = digest.digest();
    digest.update(batchDigest);
    batches.add(new ImportBatch(batchDigest, records));
    batchesBytes += recordsBytes;
    records = new ArrayList<>();
    recordsBytes = 0;
  }

  @Override
  public boolean hasBatch() {
    return !batches.isEmpty();
  }

  @Override
  public boolean doWithAgent(AgentClient agent) throws StorageException {
    ImportBatch batch = batches.element();
    @Nullable Integer count = agent.store(batch);
    if (count == null) {
      return false;
    }
    byAgent = true;
    advance(batch, count);
    return true;
  }

  @Override
  public void doOffline(OfflineBuffer buffer) throws StorageException, IOException {
    byAgent = false;
    ImportBatch batch = batches.element();
    advance(batch, buffer.importBatch(batch, clock.millis()));
  }

  private void advance(ImportBatch batch, int count) {
    ImportBatch _ = batches.remove();
    if (batches.isEmpty()) {
      batchesBytes = 0;
    }
    stored += count;
    skipped += batch.records().size() - count;
    progress.update(Quantities.records(stored) + " imported so far, " + skipped + " skipped");
  }

  /// The number of records that this run imported.
  public long stored() {
    return stored;
  }

  /// The number of records that were imported before.
  public long skipped() {
    return skipped;
  }

  /// Whether the last batch was stored by a running agent.
  public boolean byAgent() {
    return byAgent;
  }
}
