package com.datanadhi.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/// The library `diskshim.c`: for the files below one directory it journals all changes that a
/// program makes, and fails calls on request. Thread-safe.
public final class DiskShim {
  /// A kind of system call that can fail.
  public enum Call {
    READ,
    WRITE,
    SYNC
  }

  private final Path disk;
  private final Path journal;
  private final Path faults;

  /// @param home where the journal and the disk are created
  public DiskShim(Path home) throws IOException {
    this.disk = Files.createDirectories(home.resolve("disk")).toRealPath();
    this.journal = Files.createFile(home.resolve("journal"));
    this.faults = Files.createFile(home.resolve("faults"));
  }

  /// The environment variables that load the shim into a program.
  public Map<String, String> environment() throws IOException, InterruptedException {
    Map<String, String> environment = new HashMap<>();
    environment.put("LD_PRELOAD", Shims.library("diskshim").toString());
    environment.put("DISKSHIM_DIRECTORY", disk.toString());
    environment.put("DISKSHIM_JOURNAL", journal.toAbsolutePath().toString());
    environment.put("DISKSHIM_FAULTS", faults.toAbsolutePath().toString());
    return environment;
  }

  /// The program's directory. It is a directory on the disk, not the disk itself, so that a power
  /// loss can lose its name too.
  public Path directory() {
    return directoryOn(disk);
  }

  /// The program's directory on a disk that was rebuilt from the journal.
  public static Path directoryOn(Path disk) {
    return disk.resolve("agent");
  }

  /// The directory whose files the shim journals.
  public Path disk() {
    return disk;
  }

  /// The file with the journal.
  public Path journal() {
    return journal;
  }

  /// The length of the journal, in bytes. It contains everything that the program did before this
  /// call.
  public long journalLength() {
    try {
      return Files.size(journal);
    } catch (IOException missing) {
      throw new UncheckedIOException(missing);
    }
  }

  /// From now on the `nth` call returns EIO, and if `untilCleared` all later ones.
  ///
  /// @param name a pattern for the names of files, with `*`
  public void fail(Call call, String name, int nth, boolean untilCleared) throws IOException {
    writeFaults(
        call.name().toLowerCase(java.util.Locale.ROOT)
            + " "
            + name
            + " "
            + nth
            + (untilCleared ? " always" : " once"));
  }

  /// The next sync of a file with this name does not return.
  public void hangSync(String name) throws IOException {
    writeFaults("sync " + name + " 1 hang");
  }

  /// From now on no call fails.
  public void clearFaults() throws IOException {
    writeFaults("");
  }

  /// How many calls have failed.
  public long failures() throws IOException {
    Path log = faults.resolveSibling(faults.getFileName() + ".log");
    return Files.exists(log) ? Files.readAllLines(log).size() : 0;
  }

  private void writeFaults(String line) throws IOException {
    // Replaced atomically: the program may read the file at any moment.
    Path next = faults.resolveSibling("faults.next");
    Files.writeString(next, line, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING);
    Files.move(next, faults, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
  }
}
