package com.datanadhi.echopost.cli;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Completion scripts for shells, generated from the descriptions of the commands.
public final class ShellCompletions {
  private final CommandSpec program;
  private final List<CommandSpec> commands;

  /// @param program the description of the program itself
  /// @param commands the descriptions of its commands
  public ShellCompletions(CommandSpec program, List<CommandSpec> commands) {
    this.program = program;
    this.commands = List.copyOf(commands);
  }

  /// The script for bash 3.2, which macOS ships, and later.
  public String bash() {
    StringBuilder flags = new StringBuilder();
    StringBuilder operands = new StringBuilder();
    Set<String> flagsWithValue = new LinkedHashSet<>();
    StringBuilder values = new StringBuilder();
    for (CommandSpec spec : withProgram()) {
      flags.append("    '%s') flags='%s' ;;\n".formatted(spec.name(), words(spec.flags())));
      if (spec.operand() != null) {
        operands.append(
            "    '%s') %s ;;\n".formatted(spec.name(), bashAction(spec.operand().name())));
      }
      for (Flag flag : spec.flags()) {
        if (flag.placeholder() != null && flagsWithValue.add("-" + flag.name())) {
          values.append(
              "    -%s) %s; return ;;\n".formatted(flag.name(), bashAction(flag.placeholder())));
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
            String.join("|", flagsWithValue),
            values,
            flags,
            commands.stream().map(CommandSpec::name).collect(Collectors.joining(" ")),
            operands);
  }

  private String bashAction(String placeholder) {
    if (placeholder.equals("DIR")) {
      return "compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -d -- \"$cur\"))";
    }
    if (placeholder.equals("FILE")) {
      return "compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -f -- \"$cur\"))";
    }
    String words = choices(placeholder, " ");
    return words.isEmpty() ? ":" : "COMPREPLY=($(IFS=' '; compgen -W '" + words + "' -- \"$cur\"))";
  }

  /// The script for zsh 5.
  public String zsh() {
    StringBuilder cases = new StringBuilder();
    for (CommandSpec spec : commands) {
      cases.append("        %s) _arguments%s".formatted(spec.name(), zshFlags(spec)));
      if (spec.operand() != null) {
        cases.append(
            " \\\n          %s"
                .formatted(quoted("1:argument:" + zshAction(spec.operand().name()))));
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
            commands.stream()
                .map(spec -> "\n    " + quoted(spec.name() + ":" + spec.summary()))
                .collect(Collectors.joining()),
            zshFlags(program),
            cases);
  }

  private String zshFlags(CommandSpec spec) {
    return spec.flags().stream()
        .map(flag ->
            " \\\n          "
                + quoted(
                    "-"
                        + flag.name()
                        + "["
                        + flag.description().replaceAll("([\\[\\]:\\\\])", "\\\\$1")
                        + "]"
                        + (flag.placeholder() == null
                            ? ""
                            : ":" + flag.placeholder() + ":" + zshAction(flag.placeholder()))))
        .collect(Collectors.joining());
  }

  private String zshAction(String placeholder) {
    String words = choices(placeholder, " ");
    return switch (placeholder) {
      case "DIR" -> "_files -/";
      case "FILE" -> "_files";
      default -> words.isEmpty() ? " " : "(" + words + ")";
    };
  }

  /// The script for fish 3.
  public String fish() {
    StringBuilder script =
        new StringBuilder(
            """
            # fish completion for echopost: echopost completion fish > ~/.config/fish/completions/echopost.fish
            complete -c echopost -f
            """);
    for (Flag flag : program.flags()) {
      script.append(fishFlag("__fish_use_subcommand", flag));
    }
    for (CommandSpec spec : commands) {
      script.append(
          "complete -c echopost -n __fish_use_subcommand -a %s -d %s\n"
              .formatted(spec.name(), quoted(spec.summary())));
      String seen = "__fish_seen_subcommand_from " + spec.name();
      for (Flag flag : spec.flags()) {
        script.append(fishFlag(seen, flag));
      }
      if (spec.operand() != null) {
        script.append(
            "complete -c echopost -n %s%s\n"
                .formatted(quoted(seen), fishAction(spec.operand().name())));
      }
    }
    return script.toString();
  }

  private String fishFlag(String condition, Flag flag) {
    return "complete -c echopost -n %s -o %s%s -d %s\n"
        .formatted(
            quoted(condition),
            flag.name(),
            flag.placeholder() == null ? "" : " -r" + fishAction(flag.placeholder()),
            quoted(flag.description()));
  }

  private String fishAction(String placeholder) {
    String words = choices(placeholder, " ");
    return switch (placeholder) {
      case "DIR" -> " -f -a '(__fish_complete_directories)'";
      case "FILE" -> " -F";
      default -> words.isEmpty() ? "" : " -f -a " + quoted(words);
    };
  }

  /// The words that can replace `placeholder`; empty if any value can.
  private String choices(String placeholder, String separator) {
    if (placeholder.equals("COMMAND")) {
      return commands.stream().map(CommandSpec::name).collect(Collectors.joining(separator));
    }
    return placeholder.contains("|") ? placeholder.replace("|", separator) : "";
  }

  private List<CommandSpec> withProgram() {
    List<CommandSpec> all = new ArrayList<>(List.of(program));
    all.addAll(commands);
    return all;
  }

  private static String words(List<Flag> flags) {
    return flags.stream().map(flag -> "-" + flag.name()).collect(Collectors.joining(" "));
  }

  private static String quoted(String text) {
    return "'" + text.replace("'", "'\\''") + "'";
  }
}
