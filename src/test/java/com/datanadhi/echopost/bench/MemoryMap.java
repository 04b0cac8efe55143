package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// A JVM's resident memory by kind, in MiB, from `/proc/PID/smaps`.
///
/// @param resident all resident pages
/// @param unshared the pages that no other process maps
record MemoryMap(Map<Kind, Double> resident, Map<Kind, Double> unshared) {
  /// The purpose of a mapping, derived from its file or its address: with compressed pointers the
  /// heap is below 32 GiB, and class metadata is in the two gigabytes above, behind the AOT cache;
  /// a stack is a mapping that contains a thread's stack pointer.
  enum Kind {
    AOT_CACHE("AOT cache"),
    JVM("JVM library"),
    LIBRARIES("other native libraries"),
    IMAGE("modules file and jar"),
    HEAP("Java heap"),
    CODE("code cache"),
    METADATA("class metadata"),
    STACKS("stacks of waiting threads"),
    OTHER("malloc and JVM tables");

    final String label;

    Kind(String label) {
      this.label = label;
    }
  }

  private static final long HEAP_END = 32L << 30;
  private static final long METADATA_END = HEAP_END + (2L << 30);

  static MemoryMap of(long pid) throws IOException {
    Map<Kind, Double> resident = new EnumMap<>(Kind.class);
    Map<Kind, Double> unshared = new EnumMap<>(Kind.class);
    for (Kind kind : Kind.values()) {
      resident.put(kind, 0.0);
      unshared.put(kind, 0.0);
    }
    Path process = Path.of("/proc", Long.toString(pid));
    List<Long> stackPointers = stackPointers(process.resolve("task"));
    Kind kind = Kind.OTHER;
    for (String line : Files.readAllLines(process.resolve("smaps"))) {
      String[] fields = line.split("\\s+", 6);
      if (fields[0].endsWith(":")) {
        Map<Kind, Double> target =
            switch (fields[0]) {
              case "Rss:" -> resident;
              case "Private_Clean:", "Private_Dirty:" -> unshared;
              default -> null;
            };
        if (target != null) {
          double mebibytes = Long.parseLong(fields[1]) / 1024.0;
          target.merge(kind, mebibytes, Double::sum);
        }
      } else {
        Range range = Range.of(fields[0]);
        kind =
            stackPointers.stream().anyMatch(range::contains)
                ? Kind.STACKS
                : kind(range, fields[1], fields.length > 5 ? fields[5] : "");
      }
    }
    return new MemoryMap(resident, unshared);
  }

  /// The stack pointers of waiting threads; the kernel does not report those of running ones.
  private static List<Long> stackPointers(Path tasks) throws IOException {
    List<Long> pointers = new ArrayList<>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(tasks)) {
      for (Path thread : threads) {
        // "NUMBER ARGUMENTS STACK-POINTER PROGRAM-COUNTER", or "running"
        String[] call = Files.readString(thread.resolve("syscall")).strip().split(" ", -1);
        if (call.length > 2) {
          pointers.add(Long.decode(call[call.length - 2]));
        }
      }
    }
    return pointers;
  }

  /// Addresses from `start`, inclusive, to `end`, exclusive.
  private record Range(long start, long end) {
    static Range of(String field) {
      int dash = field.indexOf('-');
      return new Range(
          Long.parseUnsignedLong(field, 0, dash, 16),
          Long.parseUnsignedLong(field, dash + 1, field.length(), 16));
    }

    boolean contains(long address) {
      return Long.compareUnsigned(start, address) <= 0 && Long.compareUnsigned(address, end) < 0;
    }
  }

  private static Kind kind(Range range, String permissions, String name) {
    if (name.endsWith(".aot") || name.endsWith(".jsa")) {
      return Kind.AOT_CACHE;
    }
    if (name.endsWith("/libjvm.so")) {
      return Kind.JVM;
    }
    if (name.contains(".so")) {
      return Kind.LIBRARIES;
    }
    if (name.endsWith("/modules") || name.endsWith(".jar")) {
      return Kind.IMAGE;
    }
    if (name.isEmpty() && range.start() < HEAP_END) {
      return Kind.HEAP;
    }
    if (name.isEmpty() && range.start() < METADATA_END) {
      return Kind.METADATA;
    }
    return name.isEmpty() && permissions.contains("x") ? Kind.CODE : Kind.OTHER;
  }
}
