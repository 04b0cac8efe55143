package com.datanadhi.testkit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Creates the AOT cache that a program ships with. In the training run, the JVM records which
/// classes the program loads and links.
///
/// Before the training run, another run lists the lambda forms that the program uses. The JDK takes
/// the lambda forms of a cache only from its own class list, and each start would generate all
/// others. So they are added to that list.
public final class AotTraining {
  private static final String LAMBDA_FORM = "@lambda-form-invoker";

  private AotTraining() {}

  /// A run of the program.
  public interface Run {
    /// Starts the program, lets it do its job and ends it.
    ///
    /// @param when what the run is for, for messages
    /// @param withCache whether the run uses the finished cache, and does not create it
    void of(String when, List<String> command, boolean withCache) throws Exception;
  }

  /// Creates the file `cache`, and runs the program once with it.
  ///
  /// @param command starts the program. Its first word is the JVM whose class list is extended
  public static void create(Path cache, List<String> command, Run run) throws Exception {
    addLambdaForms(command, run);
    run.of("in the training run", with(command, "-XX:AOTCacheOutput=" + cache), false);
    run.of("with its AOT cache", with(command, "-XX:AOTCache=" + cache, "-XX:AOTMode=on"), true);
  }

  private static void addLambdaForms(List<String> command, Run run) throws Exception {
    Path programClasses = Files.createTempFile("echopost", ".classlist");
    Path jdkClasses = Path.of(command.get(0)).resolveSibling("../lib/classlist");
    try {
      run.of(
          "while its classes were listed",
          with(command, "-XX:DumpLoadedClassList=" + programClasses),
          false);
      try (Stream<String> lines = Files.lines(programClasses)) {
        List<String> forms =
            lines.filter(line -> line.startsWith(LAMBDA_FORM)).collect(Collectors.toList());
        if (forms.isEmpty()) {
          throw new IllegalStateException(
              "the class list of the JVM has no lambda forms: check the option that creates it");
        }
        Files.write(jdkClasses, forms, StandardOpenOption.APPEND);
      }
    } finally {
      Files.delete(programClasses);
    }
  }

  private static List<String> with(List<String> command, String... options) {
    List<String> extended = new ArrayList<>(command);
    extended.addAll(1, List.of(options));
    return extended;
  }
}
