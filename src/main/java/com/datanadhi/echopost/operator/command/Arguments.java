package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.Flags;
import com.datanadhi.echopost.cli.Options;
import com.datanadhi.echopost.cli.UsageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What followed a command's name: flags and an operand in any order.
///
/// @param directory the agent's
/// @param flags what was given, switches included
/// @param operands what is no flag, as many as the command takes
public record Arguments(Path directory, Flags.Parsed flags, List<String> operands) {
  static Arguments parse(CommandSpec manual, List<String> words) throws UsageException {
    Map<String, String> values = new HashMap<>();
    List<String> operands = new ArrayList<>();
    List<String> rest = words;
    while (!rest.isEmpty()) {
      Flags.Parsed parsed = Flags.parse(manual.flags(), rest);
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
    return flags.isOn(CommandSpec.HELP.name());
  }

  boolean wantJson() {
    return flags.isOn(SharedFlags.JSON.name());
  }

  public boolean isOn(String flag) {
    return flags.isOn(flag);
  }

  /// The number that `flag` was given.
  ///
  /// @return null when it was not
  /// @throws UsageException when it is none, or not within 0 and `largest`
  public @Nullable Long number(String flag, long largest) throws UsageException {
    String text = flags.values().get(flag);
    if (text == null) {
      return null;
    }
    try {
      long number = Long.parseLong(text);
      if (number >= 0 && number <= largest) {
        return number;
      }
    } catch (NumberFormatException notANumber) {
      throw new UsageException("-" + flag + " is '" + text + "': give a number");
    }
    throw new UsageException("-" + flag + " is " + text + ": give a number from 0 to " + largest);
  }

  /// @throws UsageException when there is no buffer in the directory
  void requireBuffer() throws UsageException {
    if (!Buffer.existsIn(directory)) {
      throw new UsageException(
          "there is no buffer in " + directory + ": name the agent's directory with -datanadhi");
    }
  }

  void checkOperands(CommandSpec manual) throws UsageException {
    int most = manual.operand() == null ? 0 : 1;
    if (operands.size() > most) {
      throw new UsageException(
          "'"
              + operands.get(most)
              + "' is one argument too many; 'echopost "
              + manual.name()
              + " -h' says what there is");
    }
    if (operands.size() < most && manual.operand() != null && !manual.operand().isOptional()) {
      throw new UsageException(
          "an argument is missing; 'echopost " + manual.name() + " -h' says which");
    }
  }
}
