package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.torture.DiskJournal.Change;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A disk as POSIX lets it be: what was synced is there, and of all that came later each piece is
/// or is not, in any order.
///
/// Fed with a journal's changes one after the other, it can be asked at any of them what it could
/// hold if the power failed there. A write that was not synced is lost, or kept, or torn at the
/// borders of sectors; a name that was given or taken away since the last sync of its directory is
/// or is not. After a sync that failed, what it should have covered is decided for good, since the
/// page cache takes it for written: no later sync makes up for it.
final class Disk {
  /// Whether syncs count.
  enum Syncs {
    HONOURED,
    /// As if the program had never asked for one.
    NEVER_HAPPENED
  }

  private static final int[] SECTORS = {512, 4096};

  /// Not yet synced.
  private record Pending(long end, Change change) {}

  private sealed interface Node {}

  private record Directory() implements Node {}

  private static final class File implements Node {
    private final Image synced = new Image(new byte[0], 0);
    private final List<Pending> pending = new ArrayList<>();
  }

  /// A change of names, and the directory whose sync makes it last.
  private record NameChange(long end, String directory, NameEdit edit) {}

  private interface NameEdit {
    void apply(Map<String, Node> names);
  }

  /// Bytes of a file.
  private static final class Image {
    private byte[] bytes;
    private int length;

    Image(byte[] bytes, int length) {
      this.bytes = bytes;
      this.length = length;
    }

    Image copy() {
      return new Image(Arrays.copyOf(bytes, length), length);
    }

    void write(long offset, byte[] data, int from, int to) {
      int end = Math.toIntExact(offset + to);
      if (end > bytes.length) {
        bytes = Arrays.copyOf(bytes, Math.max(end, 2 * bytes.length));
      }
      System.arraycopy(data, from, bytes, (int) offset + from, to - from);
      length = Math.max(length, end);
    }

    void resize(long newLength) {
      int wanted = Math.toIntExact(newLength);
      bytes = wanted > bytes.length ? Arrays.copyOf(bytes, wanted) : bytes;
      if (wanted < length) {
        Arrays.fill(bytes, wanted, length, (byte) 0);
      }
      length = wanted;
    }

    void apply(Change change) {
      switch (change) {
        case Change.Written(var _, var _, long offset, byte[] data) ->
            write(offset, data, 0, data.length);
        case Change.Resized(var _, var _, long size) -> resize(size);
        default -> throw new IllegalArgumentException("not of a file's bytes: " + change);
      }
    }

    /// Applies those of a write's sectors that chance picks.
    void tear(Change.Written write, int sector, Random random) {
      int length = write.data().length;
      for (int from = 0; from < length; ) {
        int border = (int) (sector - (write.offset() + from) % sector);
        int to = Math.min(length, from + border);
        if (random.nextBoolean()) {
          write(write.offset(), write.data(), from, to);
        }
        from = to;
      }
    }
  }

  private final Syncs syncs;
  private final Random random;
  private final Map<Long, File> files = new HashMap<>();
  private final Map<String, Node> seen = new HashMap<>();
  private final Map<String, Node> synced = new TreeMap<>();
  private final List<NameChange> pendingNames = new ArrayList<>();

  /// @param random decides what a sync that failed has left
  Disk(Syncs syncs, Random random) {
    this.syncs = syncs;
    this.random = random;
  }

  /// Takes the journal's next change.
  void take(DiskJournal.Entry entry) {
    Change change = entry.change();
    switch (change) {
      case Change.Created(String path, long inode) -> {
        File file = new File();
        files.put(inode, file);
        name(entry, path, file);
      }
      case Change.MadeDirectory(String path) -> name(entry, path, new Directory());
      case Change.Written write -> file(write, write.inode()).pending.add(pending(entry));
      case Change.Resized resize -> file(resize, resize.inode()).pending.add(pending(entry));
      case Change.Renamed(String from, String to) -> {
        Node node = known(from);
        seen.remove(from);
        seen.put(to, node);
        change(
            entry,
            to,
            names -> {
              names.remove(from);
              names.put(to, node);
            });
      }
      case Change.Linked(String from, String to) -> name(entry, to, known(from));
      case Change.Removed(String path) -> {
        seen.remove(path);
        change(entry, path, names -> names.remove(path));
      }
      case Change.Synced done -> {
        if (syncs == Syncs.HONOURED) {
          sync(done);
        }
      }
    }
  }

  private static Pending pending(DiskJournal.Entry entry) {
    return new Pending(entry.end(), entry.change());
  }

  private File file(Change change, long inode) {
    File file = files.get(inode);
    if (file == null) {
      throw new IllegalStateException(change.path() + " was never created");
    }
    return file;
  }

  private Node known(String path) {
    Node node = seen.get(path);
    if (node == null) {
      throw new IllegalStateException(path + " was never created");
    }
    return node;
  }

  private void name(DiskJournal.Entry entry, String path, Node node) {
    seen.put(path, node);
    change(entry, path, names -> names.put(path, node));
  }

  private void change(DiskJournal.Entry entry, String path, NameEdit edit) {
    pendingNames.add(new NameChange(entry.end(), parent(path), edit));
  }

  private static String parent(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('/')));
  }

  private void sync(Change.Synced done) {
    @Nullable Node node = seen.get(done.path());
    if (done.path().isEmpty() || node instanceof Directory) {
      if (!done.failed()) {
        syncNames(done);
      }
      return;
    }
    File file = file(done, done.inode());
    for (Iterator<Pending> all = file.pending.iterator(); all.hasNext(); ) {
      Pending pending = all.next();
      if (pending.end() <= done.begun()) {
        all.remove();
        if (done.failed()) {
          applyByChance(file.synced, pending.change(), random);
        } else {
          file.synced.apply(pending.change());
        }
      }
    }
  }

  private void syncNames(Change.Synced done) {
    for (Iterator<NameChange> all = pendingNames.iterator(); all.hasNext(); ) {
      NameChange pending = all.next();
      if (pending.end() <= done.begun() && pending.directory().equals(done.path())) {
        all.remove();
        pending.edit().apply(synced);
      }
    }
  }

  private static void applyByChance(Image image, Change change, Random random) {
    switch (random.nextInt(3)) {
      case 0 -> {}
      case 1 -> image.apply(change);
      default -> {
        if (change instanceof Change.Written write) {
          image.tear(write, SECTORS[random.nextInt(SECTORS.length)], random);
        }
      }
    }
  }

  /// Writes to `directory`, which is created, one of the states that the disk could be in if the
  /// power failed now. Changes nothing here: it can be asked again.
  ///
  /// @param chance decides which
  void cutPower(Path directory, Random chance) throws IOException {
    Files.createDirectories(directory);
    Map<String, Node> names = new TreeMap<>(synced);
    pick(pendingNames, chance, false).forEach(change -> change.edit().apply(names));
    Map<File, Image> images = new HashMap<>();
    for (Map.Entry<String, Node> entry : names.entrySet()) {
      Path path = directory.resolve(entry.getKey());
      if (!Files.isDirectory(directory.resolve(parent(entry.getKey())))) {
        continue; // The directory that it stood in was not to last.
      }
      switch (entry.getValue()) {
        case Directory _ -> Files.createDirectory(path);
        case File file -> {
          Image image = images.computeIfAbsent(file, one -> remains(one, chance));
          Files.write(path, Arrays.copyOf(image.bytes, image.length));
        }
      }
    }
  }

  private static Image remains(File file, Random chance) {
    Image image = file.synced.copy();
    List<Pending> kept = pick(file.pending, chance, true);
    boolean whole = chance.nextInt(4) == 0;
    for (Pending pending : kept) {
      if (whole) {
        image.apply(pending.change());
      } else {
        applyByChance(image, pending.change(), chance);
      }
    }
    return image;
  }

  /// The first ones, or any; in their order, or in another if that `mayShuffle`.
  private static <T> List<T> pick(List<T> pending, Random chance, boolean mayShuffle) {
    if (chance.nextBoolean()) {
      return pending.subList(0, chance.nextInt(pending.size() + 1));
    }
    List<T> any = new ArrayList<>(pending);
    any.removeIf(_ -> chance.nextInt(4) == 0);
    if (mayShuffle && chance.nextBoolean()) {
      Collections.shuffle(any, chance);
    }
    return any;
  }
}
