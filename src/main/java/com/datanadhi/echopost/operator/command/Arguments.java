package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.Flags;
import com.datanadhi.echopost.cli.Options;
import com.datanadhi.echopost.cli.UsageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The arguments of a command: flags and operands in any order.
///
/// @param directory the agent's directory; empty if the command needs none
/// @param flags the flags that were given
/// @param operands the arguments that are not flags
record Arguments(Path directory, Flags.Parsed flags, List<String> operands) {
  static Arguments parse(CommandSpec command, List<String> args) throws UsageException {
    Map<String, String> values = new HashMap<>();
    List<String> operands = new ArrayList<>();
    List<String> rest = args;
    while (!rest.isEmpty()) {
      Flags.Parsed parsed = Flags.parse(command.flags(), rest);
      values.putAll(parsed.values());
      rest = parsed.rest();
      if (!rest.isEmpty()) {
        operands.add(rest.getFirst());
        rest = rest.subList(1, rest.size());
      }
    }
    Flags.Parsed flags = new Flags.Parsed(values, List.of());
    // Help must not depend on whether the default directory makes sense.
    boolean needsDirectory =
        command.flags().contains(SharedFlags.DIRECTORY) && !flags.isOn(CommandSpec.HELP.name());
    return new Arguments(
        needsDirectory ? Options.directory(values) : Path.of(""), flags, List.copyOf(operands));
  }

  boolean wantsHelp() {
    return flags.isOn(CommandSpec.HELP.name());
  }

  boolean wantsJson() {
    return flags.isOn(SharedFlags.JSON.name());
  }

  /// Whether the boolean flag `name` is on.
  boolean isOn(String name) {
    return flags.isOn(name);
  }

  /// Whether `flag` has a value, or is on if it is boolean.
  boolean has(Flag flag) {
    return flag.placeholder() == null ? isOn(flag.name()) : flags.values().containsKey(flag.name());
  }

  /// The number that is the value of the flag `name`.
  ///
  /// @return null if the flag is not given
  /// @throws UsageException if the value is not a number from 0 to `largest`
  @Nullable Long number(String name, long largest) throws UsageException {
    String text = flags.values().get(name);
    if (text == null) {
      return null;
    }
    try {
      long number = Long.parseLong(text);
      if (number >= 0 && number <= largest) {
        return number;
      }
    } catch (NumberFormatException notANumber) {
      throw new UsageException("-" + name + " is '" + text + "': give a number");
    }
    throw new UsageException(
        "-"
            + name
            + " is "
            + text
            + ": give a number from 0"
            + (largest == Long.MAX_VALUE ? " on" : " to " + largest));
  }

  /// Checks that there is a buffer in the directory.
  ///
  /// @throws UsageException if there is none
  void requireBuffer() throws UsageException {
    if (!Buffer.existsIn(directory)) {
      throw new UsageException(
          "there is no buffer in " + directory + ": give the agent's directory with -datanadhi");
    }
  }

  /// Checks that there are as many operands as `command` takes.
  ///
  /// @throws UsageException if there are more or fewer
  void checkOperands(CommandSpec command) throws UsageException {
    CommandSpec.@Nullable Operand operand = command.operand();
    int most = operand == null ? 0 : 1;
    if (operands.size() > most) {
      throw new UsageException(
          "unexpected argument '"
              + operands.get(most)
              + "': 'echopost "
              + command.name()
              + " -h' describes the arguments");
    }
    if (operand != null && operands.isEmpty() && !operand.isOptional()) {
      throw new UsageException(
          "the argument "
              + operand.name()
              + " is missing: 'echopost "
              + command.name()
              + " -h' describes it");
    }
  }
}
