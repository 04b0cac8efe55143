package com.datanadhi.echopost.cli;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Parses a command line by the rules of Go's `flag` package
/// (<https://pkg.go.dev/flag#hdr-Command_line_flag_syntax>), since clients in the field were
/// written against it: `-x v`, `--x v`, `-x=v` and `--x=v` are the same, a switch takes a value
/// only as `-x=true`, `--` ends the flags, and so does the first argument that is not a flag.
/// `-help` is `-h`.
public final class Flags {
  /// The flags that were given (the last one wins), and what followed them.
  public record Parsed(Map<String, String> values, List<String> rest) {
    /// Whether a switch is on.
    public boolean isOn(String name) {
      return "true".equals(values.get(name));
    }
  }

  private Flags() {}

  /// Reads flags up to the first argument that is none.
  ///
  /// @throws UsageException when a flag is not `known`, or its value is missing or makes no sense
  public static Parsed parse(List<Flag> known, List<String> args) throws UsageException {
    Map<String, String> values = new HashMap<>();
    int i = 0;
    while (i < args.size()) {
      String arg = args.get(i);
      if (arg.length() < 2 || arg.charAt(0) != '-') {
        break;
      }
      i++;
      if (arg.equals("--")) {
        break;
      }
      String body = arg.substring(arg.charAt(1) == '-' ? 2 : 1);
      int equals = body.indexOf('=');
      String name = equals < 0 ? body : body.substring(0, equals);
      if (name.isEmpty() || name.startsWith("-")) {
        throw new UsageException("bad flag syntax: " + arg);
      }
      Flag flag = find(known, name.equals("help") ? "h" : name);
      if (flag == null) {
        throw new UsageException("unknown flag -" + name + "; -h lists the flags");
      }
      String value;
      if (equals >= 0) {
        value = body.substring(equals + 1);
      } else if (flag.value() == null) {
        value = "true";
      } else if (i < args.size()) {
        value = args.get(i++);
      } else {
        throw new UsageException("flag -" + name + " needs a value");
      }
      values.put(flag.name(), flag.value() == null ? truth(name, value) : value);
    }
    return new Parsed(values, args.subList(i, args.size()));
  }

  private static @Nullable Flag find(List<Flag> known, String name) {
    for (Flag flag : known) {
      if (flag.name().equals(name)) {
        return flag;
      }
    }
    return null;
  }

  private static String truth(String name, String value) throws UsageException {
    return switch (value) {
      case "1", "t", "T", "true", "TRUE", "True" -> "true";
      case "0", "f", "F", "false", "FALSE", "False" -> "false";
      default ->
          throw new UsageException(
              "flag -" + name + " is a switch: write -" + name + " or -" + name + "=false");
    };
  }
}
