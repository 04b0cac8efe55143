package com.datanadhi.echopost.buffer;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.salvage.SalvageReport;
import com.datanadhi.echopost.time.ManualClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Random damage to a buffer: every record whose own bytes were not hit comes back, once, and
/// nothing comes back that was not accepted.
///
/// Each payload repeats its own number, so that the bytes of the files show where it is.
class SalvageRandomTest {
  private static final int ROUNDS = Integer.getInteger("echopost.rounds", 8);
  private static final Pattern NUMBER = Pattern.compile("#(\\d{6})#");
  private static final int PAGE = 4096;
  private static final int WAL_HEADER = 32;
  private static final int FRAME = 24 + PAGE;

  /// More than the header of a cell and its first columns, or what follows the payload, may take.
  private static final int AROUND = 80;

  @TempDir Path directory;

  private static Buffer open(Path directory) throws Exception {
    return Buffer.open(Files.createDirectories(directory), new ManualClock(), BufferListener.NONE);
  }

  /// The files of a buffer as a crash leaves them.
  private static final class Disk {
    final Map<String, byte[]> files = new TreeMap<>();

    static Disk of(Path directory) throws IOException {
      Disk disk = new Disk();
      for (String suffix : List.of("", "-wal", "-watermark")) {
        Path file = directory.resolve("buffer.db" + suffix);
        if (Files.exists(file)) {
          disk.files.put(suffix, Files.readAllBytes(file));
        }
      }
      return disk;
    }

    byte[] bytes(String suffix) {
      return files.getOrDefault(suffix, new byte[0]);
    }

    Path write(Path directory) throws IOException {
      Files.createDirectories(directory);
      Path file = directory.resolve("lost.db");
      for (var one : files.entrySet()) {
        Files.write(directory.resolve("lost.db" + one.getKey()), one.getValue());
      }
      return file;
    }
  }

  /// Where in a file the bytes of each record are.
  private static Map<Integer, BitSet> places(byte[] file, boolean isLog) {
    Map<Integer, BitSet> places = new TreeMap<>();
    int step = isLog ? FRAME : PAGE;
    for (int image = isLog ? WAL_HEADER : 0; image < file.length; image += step) {
      int page = isLog ? image + 24 : image;
      int end = Math.min(page + PAGE, file.length);
      Matcher numbers = NUMBER.matcher(new String(file, page, Math.max(0, end - page), ISO_8859_1));
      while (numbers.find()) {
        BitSet own = places.computeIfAbsent(Integer.parseInt(numbers.group(1)), _ -> new BitSet());
        own.set(
            Math.max(page, page + numbers.start() - AROUND),
            Math.min(end, page + numbers.end() + AROUND));
        // The number of the page in a frame, and of the next page in a chain.
        own.set(image, page + 8);
      }
    }
    return places;
  }

  /// With the number in it, so that the last page of each record has it.
  private static String key(int number) {
    return String.format("key#%06d#", number);
  }

  /// @param pending each payload and key by its id
  private record Contents(Map<Long, String> pending, long settled) {}

  private static Contents fill(Path directory, Random random, int first) throws Exception {
    Map<Long, String> pending = new TreeMap<>();
    try (Buffer buffer = open(directory)) {
      int records = 100 + random.nextInt(200);
      long rejected = 0;
      for (int n = 1; n <= records; ) {
        List<Appended> batch = new ArrayList<>();
        for (int i = random.nextInt(20); i >= 0 && n <= records; i--, n++) {
          int repeats =
              switch (random.nextInt(12)) {
                case 0 -> 500 + random.nextInt(5_000);
                case 1, 2 -> 50 + random.nextInt(500);
                default -> random.nextInt(30);
              };
          String payload = "\"" + String.format("#%06d#", first + n).repeat(1 + repeats) + "\"";
          batch.add(Appended.to(buffer, Appended.record(payload, "", key(first + n))));
          pending.put((long) n, payload + " " + key(first + n));
        }
        for (Appended one : batch) {
          assertThat(one.outcome()).isInstanceOf(AppendRequest.Outcome.Stored.class);
        }
        if (random.nextInt(4) == 0) {
          long settled = buffer.totals().settledThrough();
          buffer.acknowledge(settled + random.nextInt((int) (n - settled)) / 2);
        }
        if (random.nextInt(10) == 0 && !buffer.isDrained()) {
          buffer.reject(
              new Rejection(buffer.read(1, 1).getFirst(), 422, "no", 1, 1_700_000_000_001L));
          rejected++;
        }
        if (random.nextInt(10) == 0) {
          buffer.reclaimSpace();
        }
      }
      assertThat(buffer.totals().rejected()).isEqualTo(rejected);
      long settled = buffer.totals().settledThrough();
      pending.keySet().removeIf(id -> id <= settled);
      Disk.of(directory).write(directory.resolve("crashed"));
      return new Contents(pending, settled);
    }
  }

  private static Disk crashed(Path directory) throws IOException {
    Disk disk = new Disk();
    for (String suffix : List.of("", "-wal", "-watermark")) {
      Path file = directory.resolve("crashed").resolve("lost.db" + suffix);
      if (Files.exists(file)) {
        disk.files.put(suffix, Files.readAllBytes(file));
      }
    }
    return disk;
  }

  /// Salvages `disk` into a buffer of its own.
  private static List<PendingRecord> salvaged(Disk disk, Path directory) throws Exception {
    Path file = disk.write(directory.resolve("damaged"));
    try (Buffer buffer = open(directory.resolve("new"))) {
      SalvageReport report = buffer.salvage(file);
      List<PendingRecord> rows = buffer.read(Integer.MAX_VALUE, Long.MAX_VALUE);
      assertThat(report.found()).isEqualTo(rows.size());
      assertThat(buffer.totals().pending()).isEqualTo(rows.size());
      // A second salvage restores nothing twice.
      SalvageReport again = buffer.salvage(file);
      assertThat(again.found()).isEqualTo(report.found());
      return rows;
    }
  }

  private static String damage(Disk disk, Disk foreign, Map<String, BitSet> hit, Random random) {
    String suffix = disk.bytes("-wal").length > 0 && random.nextInt(3) == 0 ? "-wal" : "";
    byte[] bytes = disk.bytes(suffix);
    BitSet damage = hit.computeIfAbsent(suffix, _ -> new BitSet());
    int pages = Math.max(1, bytes.length / PAGE);
    return switch (random.nextInt(7)) {
      case 0, 1 -> {
        int flips = 1 + random.nextInt(20);
        for (int i = 0; i < flips; i++) {
          int at = random.nextInt(bytes.length);
          bytes[at] ^= (byte) (1 << random.nextInt(8));
          damage.set(at);
        }
        yield flips + " bits flipped in buffer.db" + suffix;
      }
      case 2 -> {
        int page = random.nextInt(pages);
        int end = Math.min(bytes.length, (page + 1) * PAGE);
        Arrays.fill(bytes, page * PAGE, end, (byte) 0);
        damage.set(page * PAGE, end);
        yield "page " + page + " zeroed in buffer.db" + suffix;
      }
      case 3 -> {
        byte[] garbage = new byte[100];
        random.nextBytes(garbage);
        System.arraycopy(garbage, 0, bytes, 0, Math.min(bytes.length, garbage.length));
        damage.set(0, garbage.length);
        yield "garbage header in buffer.db" + suffix;
      }
      case 4 -> {
        int length = random.nextInt(bytes.length);
        damage.set(length, bytes.length);
        disk.files.put(suffix, Arrays.copyOf(bytes, length));
        yield "buffer.db" + suffix + " cut to " + length;
      }
      case 5 -> {
        byte[] log = disk.files.remove("-wal");
        if (log != null) {
          hit.computeIfAbsent("-wal", _ -> new BitSet()).set(0, log.length);
        }
        yield "no log";
      }
      default -> {
        byte[] log = disk.files.put("-wal", foreign.bytes("-wal"));
        hit.computeIfAbsent("-wal", _ -> new BitSet()).set(0, log == null ? 1 : log.length);
        yield "foreign log";
      }
    };
  }

  @Test
  void every_record_whose_own_bytes_were_not_hit_comes_back_once() throws Exception {
    long seed = Long.getLong("echopost.seed", new Random().nextLong());
    System.out.println("SalvageRandomTest seed " + seed + " (-Dechopost.seed=" + seed + ")");
    Random random = new Random(seed);
    long unhit = 0;
    long hitInAll = 0;
    long back = 0;
    Contents theirs = fill(directory.resolve("foreign"), random, 500_000);
    assertThat(theirs.pending()).isNotEmpty();
    Disk foreign = crashed(directory.resolve("foreign"));
    for (int round = 0; round < ROUNDS; round++) {
      Path place = directory.resolve("round" + round);
      Contents contents = fill(place.resolve("sound"), random, 0);
      Disk sound = crashed(place.resolve("sound"));
      assertThat(salvaged(sound, place.resolve("whole")))
          .as("seed %d, round %d, undamaged", seed, round)
          .extracting(PendingRecord::id)
          .containsExactlyElementsOf(contents.pending().keySet());
      Disk fileAlone = new Disk();
      fileAlone.files.putAll(sound.files);
      fileAlone.files.remove("-wal");
      List<Long> inFile =
          salvaged(fileAlone, place.resolve("file")).stream().map(PendingRecord::id).toList();
      Map<Integer, BitSet> filePlaces = places(sound.bytes(""), false);
      Map<Integer, BitSet> logPlaces = places(sound.bytes("-wal"), true);

      Disk damaged = new Disk();
      sound.files.forEach((suffix, bytes) -> damaged.files.put(suffix, bytes.clone()));
      Map<String, BitSet> hit = new TreeMap<>();
      String what = damage(damaged, foreign, hit, random);
      String where = "seed " + seed + ", round " + round + ": " + what;
      List<PendingRecord> rows = salvaged(damaged, place.resolve("salvaged"));

      BitSet hitFile = hit.getOrDefault("", new BitSet());
      BitSet hitLog = hit.getOrDefault("-wal", new BitSet());
      List<Long> mustComeBack = new ArrayList<>();
      for (long id : contents.pending().keySet()) {
        boolean fileHit = filePlaces.getOrDefault((int) id, new BitSet()).intersects(hitFile);
        boolean logHit = logPlaces.getOrDefault((int) id, new BitSet()).intersects(hitLog);
        if (!fileHit && (inFile.contains(id) || !logHit)) {
          mustComeBack.add(id);
        }
      }
      unhit += mustComeBack.size();
      hitInAll += contents.pending().size() - mustComeBack.size();
      back += rows.size();
      assertThat(rows).as(where).extracting(PendingRecord::id).containsAll(mustComeBack);
      assertThat(rows).as(where).extracting(PendingRecord::id).isSorted().doesNotHaveDuplicates();
      for (PendingRecord row : rows) {
        assertThat(row.sound()).as(where).isTrue();
        assertThat(new String(row.content().jsonData(), UTF_8) + " " + row.idempotencyKey())
            .as(where)
            .isEqualTo(contents.pending().get(row.id()));
      }
    }
    System.out.println(
        "SalvageRandomTest: " + unhit + " not hit, " + hitInAll + " maybe hit, " + back + " back");
    assertThat(unhit).isPositive();
    assertThat(hitInAll).isPositive();
  }
}
