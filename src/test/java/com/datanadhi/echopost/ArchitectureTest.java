package com.datanadhi.echopost;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.upstream.ServerHealth;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The allowed dependencies between packages, as in the table of ARCHITECTURE.md.
class ArchitectureTest {
  private static final String ROOT = "com.datanadhi.echopost";
  private static JavaClasses program;

  @BeforeAll
  static void readTheProgram() {
    program =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT);
  }

  private static String room(String name) {
    return ROOT + "." + name;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cli | record",
        "operator.command | operator.run operator.print cli directory record salvage buffer control"
            + " metrics upstream",
        "operator.run | operator.print directory record control buffer net",
        "operator.print | cli directory record control buffer upstream",
        "control | record upstream",
        "agent | cli ingest upstream replay buffer record directory control metrics net",
        "ingest | grpc buffer record directory control metrics net upstream",
        "grpc | net",
        "replay | buffer record upstream metrics",
        "buffer | salvage record directory metrics",
        "salvage | record directory",
        "directory | net",
        "record | none",
        "upstream | net",
        "metrics | none",
        "logging | none",
        "time | none",
        "net | none",
      })
  void a_package_uses_only_what_its_row_allows(String room, String others) {
    List<String> allowed = new ArrayList<>(List.of(room(room) + ".."));
    if (!room.equals("time") && !room.equals("logging") && !room.equals("net")) {
      allowed.addAll(List.of(room("time"), room("logging")));
    }
    for (String other : others.split(" ", -1)) {
      allowed.add(room(other) + "..");
    }
    DescribedPredicate<JavaClass> forbidden =
        resideInAPackage(ROOT + "..")
            .and(DescribedPredicate.not(resideInAnyPackage(allowed.toArray(String[]::new))));
    noClasses()
        .that()
        .resideInAPackage(room(room) + "..")
        .should()
        .dependOnClassesThat(forbidden)
        .check(program);
  }

  @Test
  void every_class_is_in_a_package_of_the_table_or_is_main() {
    assertThat(program.size()).isGreaterThan(60);
    classes()
        .that()
        .doNotHaveFullyQualifiedName(ROOT + ".Main")
        .should()
        .resideInAnyPackage(
            room("cli"),
            room("operator") + "..",
            room("control"),
            room("agent"),
            room("ingest"),
            room("grpc"),
            room("replay"),
            room("buffer"),
            room("salvage"),
            room("directory"),
            room("record"),
            room("upstream"),
            room("metrics"),
            room("logging"),
            room("time"),
            room("net"))
        .check(program);
  }

  @Test
  void only_the_buffer_uses_sql() {
    noClasses()
        .that()
        .resideOutsideOfPackage(room("buffer"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("java.sql..", "javax.sql..", "org.sqlite..")
        .check(program);
  }

  @Test
  void ingest_control_and_operator_use_only_the_health_of_upstream() {
    noClasses()
        .that()
        .resideInAnyPackage(room("ingest") + "..", room("control"), room("operator") + "..")
        .should()
        .dependOnClassesThat(
            resideInAPackage(room("upstream"))
                .and(DescribedPredicate.not(type(ServerHealth.class))))
        .check(program);
  }

  @Test
  void only_the_agent_uses_structured_task_scopes() {
    assertThat(program.get(room("agent") + ".Agent$RunTasks").getDirectDependenciesFromSelf())
        .anyMatch(to -> to.getTargetClass().getSimpleName().startsWith("StructuredTaskScope"));
    noClasses()
        .that()
        .resideOutsideOfPackage(room("agent"))
        .should()
        .dependOnClassesThat()
        .haveNameMatching("java\\.util\\.concurrent\\.StructuredTaskScope.*")
        .check(program);
  }

  @Test
  void only_time_reads_clocks() {
    noClasses()
        .that()
        .resideOutsideOfPackage(room("time"))
        .should()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethodWhere(
            DescribedPredicate.describe(
                "now() of java.time",
                call ->
                    call.getTarget().getName().equals("now")
                        && call.getTargetOwner().getPackageName().startsWith("java.time")))
        .orShould()
        .dependOnClassesThat()
        .haveNameMatching("java\\.util\\.(Date|Calendar|GregorianCalendar)|java\\.time\\.Clock")
        .check(program);
  }

  @Test
  void only_time_sleeps() {
    noClasses()
        .that()
        .resideOutsideOfPackage(room("time"))
        .should()
        .callMethod(Thread.class, "sleep", long.class)
        .orShould()
        .callMethod(Thread.class, "sleep", long.class, int.class)
        .orShould()
        .callMethod(Thread.class, "sleep", java.time.Duration.class)
        .check(program);
  }

  @Test
  void only_main_ends_the_process() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(ROOT + ".Main")
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "exit", int.class)
        .check(program);
  }
}
