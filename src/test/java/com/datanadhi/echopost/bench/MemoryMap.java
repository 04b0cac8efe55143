package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;

/// What a JVM's resident memory consists of (`/proc/PID/smaps`), in MiB by kind.
///
/// @param resident all of it
/// @param unshared what no other process has mapped too
record MemoryMap(Map<Kind, Double> resident, Map<Kind, Double> unshared) {
  /// What a mapping is for, told by its file or its place: with compressed pointers the heap lies
  /// below 32 GiB, and class metadata in the gigabyte above, behind the AOT cache.
  enum Kind {
    AOT_CACHE("AOT cache"),
    JVM("the JVM's library"),
    LIBRARIES("other libraries"),
    IMAGE("modules and jar"),
    HEAP("Java heap"),
    CODE("code cache"),
    METADATA("class metadata"),
    STACK("the first stack"),
    OTHER("malloc, stacks, tables of the JVM");

    final String what;

    Kind(String what) {
      this.what = what;
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
    Kind kind = Kind.OTHER;
    for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "smaps"))) {
      String[] fields = line.split("\\s+", 6);
      if (fields[0].endsWith(":")) {
        Map<Kind, Double> into =
            switch (fields[0]) {
              case "Rss:" -> resident;
              case "Private_Clean:", "Private_Dirty:" -> unshared;
              default -> null;
            };
        if (into != null) {
          double mebibytes = Long.parseLong(fields[1]) / 1024.0;
          into.merge(kind, mebibytes, Double::sum);
        }
      } else {
        kind = kind(fields[0], fields[1], fields.length > 5 ? fields[5] : "");
      }
    }
    return new MemoryMap(resident, unshared);
  }

  private static Kind kind(String range, String permissions, String name) {
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
    if (name.equals("[stack]")) {
      return Kind.STACK;
    }
    long start = Long.parseUnsignedLong(range, 0, range.indexOf('-'), 16);
    if (name.isEmpty() && start < HEAP_END) {
      return Kind.HEAP;
    }
    if (name.isEmpty() && start < METADATA_END) {
      return Kind.METADATA;
    }
    return name.isEmpty() && permissions.contains("x") ? Kind.CODE : Kind.OTHER;
  }
}
