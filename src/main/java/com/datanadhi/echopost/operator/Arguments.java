package com.datanadhi.echopost.operator;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.cli.Flags;
import com.datanadhi.echopost.cli.Options;
import com.datanadhi.echopost.cli.UsageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What followed a command's name: flags and operands in any order.
///
/// @param directory the agent's
/// @param flags what was given, switches included
/// @param operands what is no flag, as many as the command takes
record Arguments(Path directory, Flags.Parsed flags, List<String> operands) {
  private static final Map<String, Flags.Kind> COMMON =
      Map.of(
          "datanadhi", Flags.Kind.VALUE,
          "h", Flags.Kind.SWITCH,
          "help", Flags.Kind.SWITCH);

  static Arguments parse(OperatorCommand command, List<String> words) throws UsageException {
    Map<String, Flags.Kind> known = new HashMap<>(COMMON);
    known.putAll(command.flags());
    Map<String, String> values = new HashMap<>();
    List<String> operands = new ArrayList<>();
    List<String> rest = words;
    while (!rest.isEmpty()) {
      Flags.Parsed parsed = Flags.parse(known, rest);
      values.putAll(parsed.values());
      rest = parsed.rest();
      if (!rest.isEmpty()) {
        operands.add(rest.getFirst());
        rest = rest.subList(1, rest.size());
      }
    }
    return new Arguments(
        Options.directory(values), new Flags.Parsed(values, List.of()), List.copyOf(operands));
  }

  boolean wantHelp() {
    return flags.isOn("h") || flags.isOn("help");
  }

  /// @throws UsageException when there is no buffer in the directory
  void requireBuffer() throws UsageException {
    if (!Buffer.existsIn(directory)) {
      throw new UsageException(
          "there is no buffer in " + directory + ": name the agent's directory with -datanadhi");
    }
  }

  void checkOperands(OperatorCommand command) throws UsageException {
    if (operands.size() > command.operands()) {
      throw new UsageException(
          "'"
              + operands.get(command.operands())
              + "' is one argument too many; 'echopost "
              + command.name()
              + " -h' says what there is");
    }
    if (operands.size() < command.operands()) {
      throw new UsageException(
          "an argument is missing; 'echopost " + command.name() + " -h' says which");
    }
  }
}
