package com.datanadhi.testkit;

import com.datanadhi.testkit.DiskJournal.Change;
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

/// A model of a disk under the rules of POSIX: data that was synced survives a power loss; each
/// later change survives or not, independently of the others and of their order.
///
/// The changes of a journal are applied one by one. After any of them [#cutPower] writes a state
/// that the disk could have if the power failed at that point. An unsynced write is lost, kept, or
/// torn at sector boundaries; a name that was created or removed since the last sync of its
/// directory exists or not. A failed sync decides the fate of the changes that it covers for good:
/// the page cache marks them as written, so that no later sync writes them again.
public final class DiskModel {
  /// Whether the disk obeys syncs.
  public enum Syncs {
    HONOURED,
    /// As if the program never called sync.
    IGNORED
  }

  private static final int[] SECTORS = {512, 4096};

  /// A change of a file's content that is not synced yet.
  private record UnsyncedChange(long end, Change change) {}

  /// A file or a directory.
  private sealed interface Node {}

  private record Directory() implements Node {}

  private static final class File implements Node {
    private final Content synced = new Content(new byte[0], 0);
    private final List<UnsyncedChange> unsynced = new ArrayList<>();
  }

  /// An unsynced change of a directory's names; a sync of that directory makes it durable.
  private record NameChange(long end, String directory, NameEdit edit) {}

  private interface NameEdit {
    void apply(Map<String, Node> names);
  }

  /// The content of a file.
  private static final class Content {
    private byte[] bytes;
    private int length;

    Content(byte[] bytes, int length) {
      this.bytes = bytes;
      this.length = length;
    }

    Content copy() {
      return new Content(Arrays.copyOf(bytes, length), length);
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
      if (change instanceof Change.Written write) {
        write(write.offset(), write.data(), 0, write.data().length);
      } else if (change instanceof Change.Resized resize) {
        resize(resize.length());
      } else {
        throw new IllegalArgumentException("not a change of content: " + change);
      }
    }

    /// Applies a random subset of the sectors of a write.
    void tear(Change.Written write, int sector, Random random) {
      int length = write.data().length;
      for (int from = 0; from < length; ) {
        int untilBoundary = (int) (sector - (write.offset() + from) % sector);
        int to = Math.min(length, from + untilBoundary);
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
  private final Map<String, Node> visibleNames = new HashMap<>();
  private final Map<String, Node> syncedNames = new TreeMap<>();
  private final List<NameChange> unsyncedNames = new ArrayList<>();

  /// @param random decides what survives a failed sync
  public DiskModel(Syncs syncs, Random random) {
    this.syncs = syncs;
    this.random = random;
  }

  /// Applies the next change of the journal.
  public void apply(DiskJournal.JournaledChange journaled) {
    Change change = journaled.change();
    if (change instanceof Change.Created created) {
      File file = new File();
      files.put(created.inode(), file);
      addName(journaled, created.path(), file);
    } else if (change instanceof Change.MadeDirectory made) {
      addName(journaled, made.path(), new Directory());
    } else if (change instanceof Change.Written write) {
      file(write, write.inode()).unsynced.add(unsynced(journaled));
    } else if (change instanceof Change.Resized resize) {
      file(resize, resize.inode()).unsynced.add(unsynced(journaled));
    } else if (change instanceof Change.Renamed renamed) {
      rename(journaled, renamed.path(), renamed.to());
    } else if (change instanceof Change.Linked linked) {
      addName(journaled, linked.to(), visibleNode(linked.path()));
    } else if (change instanceof Change.Removed removed) {
      String path = removed.path();
      visibleNames.remove(path);
      addNameChange(journaled, path, names -> names.remove(path));
    } else if (change instanceof Change.Synced sync && syncs == Syncs.HONOURED) {
      sync(sync);
    }
  }

  private void rename(DiskJournal.JournaledChange journaled, String from, String to) {
    Node node = visibleNode(from);
    visibleNames.remove(from);
    visibleNames.put(to, node);
    addNameChange(
        journaled,
        to,
        names -> {
          names.remove(from);
          names.put(to, node);
        });
  }

  private static UnsyncedChange unsynced(DiskJournal.JournaledChange journaled) {
    return new UnsyncedChange(journaled.end(), journaled.change());
  }

  private File file(Change change, long inode) {
    File file = files.get(inode);
    if (file == null) {
      throw new IllegalStateException(change.path() + " was never created");
    }
    return file;
  }

  private Node visibleNode(String path) {
    Node node = visibleNames.get(path);
    if (node == null) {
      throw new IllegalStateException(path + " was never created");
    }
    return node;
  }

  private void addName(DiskJournal.JournaledChange journaled, String path, Node node) {
    visibleNames.put(path, node);
    addNameChange(journaled, path, names -> names.put(path, node));
  }

  private void addNameChange(DiskJournal.JournaledChange journaled, String path, NameEdit edit) {
    unsyncedNames.add(new NameChange(journaled.end(), parent(path), edit));
  }

  private static String parent(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('/')));
  }

  private void sync(Change.Synced sync) {
    @Nullable Node node = visibleNames.get(sync.path());
    if (sync.path().isEmpty() || node instanceof Directory) {
      if (!sync.failed()) {
        syncNames(sync);
      }
      return;
    }
    File file = file(sync, sync.inode());
    for (Iterator<UnsyncedChange> pending = file.unsynced.iterator(); pending.hasNext(); ) {
      UnsyncedChange unsynced = pending.next();
      if (unsynced.end() <= sync.start()) {
        pending.remove();
        if (sync.failed()) {
          applyRandomly(file.synced, unsynced.change(), random);
        } else {
          file.synced.apply(unsynced.change());
        }
      }
    }
  }

  private void syncNames(Change.Synced sync) {
    for (Iterator<NameChange> pending = unsyncedNames.iterator(); pending.hasNext(); ) {
      NameChange unsynced = pending.next();
      if (unsynced.end() <= sync.start() && unsynced.directory().equals(sync.path())) {
        pending.remove();
        unsynced.edit().apply(syncedNames);
      }
    }
  }

  private static void applyRandomly(Content content, Change change, Random random) {
    switch (random.nextInt(3)) {
      case 0 -> {}
      case 1 -> content.apply(change);
      default -> {
        if (change instanceof Change.Written write) {
          content.tear(write, SECTORS[random.nextInt(SECTORS.length)], random);
        }
      }
    }
  }

  /// Writes one of the states that the disk could have if the power failed now. The model itself
  /// does not change, so this can be called repeatedly.
  ///
  /// @param directory where the files are written; it is created
  /// @param random picks the state
  public void cutPower(Path directory, Random random) throws IOException {
    Files.createDirectories(directory);
    Map<String, Node> names = new TreeMap<>(syncedNames);
    surviving(unsyncedNames, random, false).forEach(change -> change.edit().apply(names));
    Map<File, Content> contents = new HashMap<>();
    for (Map.Entry<String, Node> entry : names.entrySet()) {
      Path path = directory.resolve(entry.getKey());
      if (!Files.isDirectory(directory.resolve(parent(entry.getKey())))) {
        continue; // The name of its directory did not survive.
      }
      if (entry.getValue() instanceof File file) {
        Content content = contents.computeIfAbsent(file, one -> contentAfterPowerLoss(one, random));
        Files.write(path, Arrays.copyOf(content.bytes, content.length));
      } else {
        Files.createDirectory(path);
      }
    }
  }

  private static Content contentAfterPowerLoss(File file, Random random) {
    Content content = file.synced.copy();
    List<UnsyncedChange> surviving = surviving(file.unsynced, random, true);
    boolean inFull = random.nextInt(4) == 0;
    for (UnsyncedChange unsynced : surviving) {
      if (inFull) {
        content.apply(unsynced.change());
      } else {
        applyRandomly(content, unsynced.change(), random);
      }
    }
    return content;
  }

  /// The changes that survive: a prefix, or a random subset, which may be shuffled if `mayShuffle`.
  private static <T> List<T> surviving(List<T> changes, Random random, boolean mayShuffle) {
    if (random.nextBoolean()) {
      return changes.subList(0, random.nextInt(changes.size() + 1));
    }
    List<T> subset = new ArrayList<>(changes);
    subset.removeIf(change -> random.nextInt(4) == 0);
    if (mayShuffle && random.nextBoolean()) {
      Collections.shuffle(subset, random);
    }
    return subset;
  }
}
