package com.datanadhi.echopost.cli;

import com.datanadhi.echopost.operator.command.Commands;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// The shells' completions, made of what the commands say of themselves.
public final class ShellCompletions {
  private ShellCompletions() {}

  /// For bash 3.2 and later, which is what macOS has.
  public static String bash() {
    CommandSpec program = CommandLine.manual();
    StringBuilder flags = new StringBuilder();
    StringBuilder operands = new StringBuilder();
    Set<String> valued = new LinkedHashSet<>();
    StringBuilder values = new StringBuilder();
    for (CommandSpec manual : withProgram(program)) {
      flags.append(
          "    '%s') flags='%s' ;;\n".formatted(manual.name(), words(manual.flags(), Flag::name)));
      if (manual.operand() != null) {
        operands.append(
            "    '%s') %s ;;\n".formatted(manual.name(), bashAction(manual.operand().name())));
      }
      for (Flag flag : manual.flags()) {
        if (flag.value() != null && valued.add("-" + flag.name())) {
          values.append(
              "    -%s) %s; return ;;\n".formatted(flag.name(), bashAction(flag.value())));
        }
      }
    }
    return """
    # bash completion for echopost: eval "$(echopost completion bash)"
    _echopost() {
      local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= flags= i IFS=$'\\n'
      COMPREPLY=()
      for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
          %s) i=$((i + 1)) ;;
          -*) ;;
          *) command=${COMP_WORDS[i]}; break ;;
        esac
      done
      case $prev in
    %s  esac
      case $command in
    %s  esac
      case $cur in
        -*) COMPREPLY=($(IFS=' '; compgen -W "$flags" -- "$cur")); return ;;
      esac
      case $command in
        '') COMPREPLY=($(IFS=' '; compgen -W '%s' -- "$cur")) ;;
    %s  esac
    }
    complete -F _echopost echopost
    """
        .formatted(
            String.join("|", valued),
            values,
            flags,
            Commands.manuals().stream().map(CommandSpec::name).collect(Collectors.joining(" ")),
            operands);
  }

  private static String bashAction(String value) {
    if (value.equals("DIR")) {
      return "compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -d -- \"$cur\"))";
    }
    if (value.equals("FILE")) {
      return "compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -f -- \"$cur\"))";
    }
    String words = choices(value, " ");
    return words.isEmpty() ? ":" : "COMPREPLY=($(IFS=' '; compgen -W '" + words + "' -- \"$cur\"))";
  }

  /// For zsh 5.
  public static String zsh() {
    StringBuilder cases = new StringBuilder();
    for (CommandSpec manual : Commands.manuals()) {
      cases.append("        %s) _arguments%s".formatted(manual.name(), zshFlags(manual)));
      if (manual.operand() != null) {
        cases.append(
            " \\\n          %s"
                .formatted(quoted("1:argument:" + zshAction(manual.operand().name()))));
      }
      cases.append(" ;;\n");
    }
    return """
    #compdef echopost
    # zsh completion for echopost: eval "$(echopost completion zsh)", after compinit
    _echopost() {
      local context state state_descr line
      typeset -A opt_args
      local -a commands
      commands=(%s
      )
      _arguments -C%s \\
          '1:command:->command' '*::argument:->argument'
      case $state in
        command) _describe -t commands command commands ;;
        argument) case $words[1] in
    %s      esac ;;
      esac
    }
    if [ "${funcstack[1]-}" = _echopost ]; then _echopost "$@"; else compdef _echopost echopost; fi
    """
        .formatted(
            Commands.manuals().stream()
                .map(manual -> "\n    " + quoted(manual.name() + ":" + manual.summary()))
                .collect(Collectors.joining()),
            zshFlags(CommandLine.manual()),
            cases);
  }

  private static String zshFlags(CommandSpec manual) {
    return manual.flags().stream()
        .map(flag ->
            " \\\n          "
                + quoted(
                    "-"
                        + flag.name()
                        + "["
                        + flag.text().replaceAll("([\\[\\]:\\\\])", "\\\\$1")
                        + "]"
                        + (flag.value() == null
                            ? ""
                            : ":" + flag.value() + ":" + zshAction(flag.value()))))
        .collect(Collectors.joining());
  }

  private static String zshAction(String value) {
    String words = choices(value, " ");
    return switch (value) {
      case "DIR" -> "_files -/";
      case "FILE" -> "_files";
      default -> words.isEmpty() ? " " : "(" + words + ")";
    };
  }

  /// For fish 3.
  public static String fish() {
    StringBuilder script =
        new StringBuilder(
            """
            # fish completion for echopost: echopost completion fish > ~/.config/fish/completions/echopost.fish
            complete -c echopost -f
            """);
    for (Flag flag : CommandLine.manual().flags()) {
      script.append(fishFlag("__fish_use_subcommand", flag));
    }
    for (CommandSpec manual : Commands.manuals()) {
      script.append(
          "complete -c echopost -n __fish_use_subcommand -a %s -d %s\n"
              .formatted(manual.name(), quoted(manual.summary())));
      String seen = "__fish_seen_subcommand_from " + manual.name();
      for (Flag flag : manual.flags()) {
        script.append(fishFlag(seen, flag));
      }
      if (manual.operand() != null) {
        script.append(
            "complete -c echopost -n %s%s\n"
                .formatted(quoted(seen), fishAction(manual.operand().name())));
      }
    }
    return script.toString();
  }

  private static String fishFlag(String condition, Flag flag) {
    return "complete -c echopost -n %s -o %s%s -d %s\n"
        .formatted(
            quoted(condition),
            flag.name(),
            flag.value() == null ? "" : " -r" + fishAction(flag.value()),
            quoted(flag.text()));
  }

  private static String fishAction(String value) {
    String words = choices(value, " ");
    return switch (value) {
      case "DIR" -> " -f -a '(__fish_complete_directories)'";
      case "FILE" -> " -F";
      default -> words.isEmpty() ? "" : " -f -a " + quoted(words);
    };
  }

  /// The words that `value` stands for; empty where it can be anything.
  private static String choices(String value, String separator) {
    if (value.equals("COMMAND")) {
      return Commands.manuals().stream()
          .map(CommandSpec::name)
          .collect(Collectors.joining(separator));
    }
    return value.contains("|") ? value.replace("|", separator) : "";
  }

  private static List<CommandSpec> withProgram(CommandSpec program) {
    List<CommandSpec> all = new java.util.ArrayList<>(List.of(program));
    all.addAll(Commands.manuals());
    return all;
  }

  private static String words(List<Flag> flags, java.util.function.Function<Flag, String> name) {
    return flags.stream().map(flag -> "-" + name.apply(flag)).collect(Collectors.joining(" "));
  }

  private static String quoted(String text) {
    return "'" + text.replace("'", "'\\''") + "'";
  }
}
