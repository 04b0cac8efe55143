package com.datanadhi.hub;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.TenantReader;
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

/// The allowed dependencies between the hub's packages, as in the table of ARCHITECTURE.md.
class ArchitectureTest {
  private static final String ROOT = "com.datanadhi.hub";
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

  /// A `+` stands for the packages below it. Everything may use `time` and `logging`.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "hub | admin http grpc tls intake query apply archive control drill restore snapshot"
            + " objects view log+ record health metrics",
        "http | tls otlp intake query control view record json health metrics",
        "grpc | tls otlp intake query control view record health metrics proto",
        "otlp | intake record json",
        "query | apply control view record json",
        "intake | apply control view log record",
        "admin | control query view log record proto+",
        "control | apply view log record proto+",
        "drill | restore apply objects view record",
        "restore | archive snapshot control apply objects view log record",
        "snapshot | control apply objects view record",
        "archive | apply view objects log record json",
        "apply | view log record proto",
        "view | record json",
        "log | none",
        "log.segments | log",
        "record | proto",
        "tls | none",
        "json | none",
        "health | none",
        "metrics | none",
        "logging | none",
        "objects | none",
        "time | none",
      })
  void a_package_uses_only_what_its_row_allows(String room, String others) {
    List<String> allowed = new ArrayList<>(List.of(room(room)));
    if (!room.equals("time") && !room.equals("logging")) {
      allowed.addAll(List.of(room("time"), room("logging")));
    }
    for (String other : others.split(" ", -1)) {
      allowed.add(other.endsWith("+") ? room(other.replace("+", "..")) : room(other));
    }
    DescribedPredicate<JavaClass> forbidden =
        resideInAPackage(ROOT + "..")
            .and(DescribedPredicate.not(resideInAnyPackage(allowed.toArray(String[]::new))));
    noClasses()
        .that()
        .resideInAPackage(room(room))
        .should()
        .dependOnClassesThat(forbidden)
        .check(program);
  }

  @Test
  void every_class_is_in_a_package_of_the_table_or_is_main_or_a_command() {
    assertThat(program.size()).isGreaterThan(60);
    classes()
        .that()
        .doNotHaveFullyQualifiedName(ROOT + ".Main")
        .and()
        .resideOutsideOfPackage(room("proto.."))
        .should()
        .resideInAnyPackage(
            room("cli"),
            room("hub"),
            room("http"),
            room("grpc"),
            room("otlp"),
            room("query"),
            room("intake"),
            room("admin"),
            room("control"),
            room("apply"),
            room("archive"),
            room("view"),
            room("log"),
            room("log.segments"),
            room("record"),
            room("objects"),
            room("snapshot"),
            room("restore"),
            room("drill"),
            room("tls"),
            room("json"),
            room("health"),
            room("metrics"),
            room("logging"),
            room("time"))
        .check(program);
  }

  @Test
  void packages_form_no_cycles() {
    slices().matching(ROOT + ".(**)").should().beFreeOfCycles().check(program);
  }

  @Test
  void only_the_view_uses_sql() {
    noClasses()
        .that()
        .resideOutsideOfPackage(room("view"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("java.sql..", "javax.sql..", "org.sqlite..")
        .check(program);
  }

  @Test
  void http_and_grpc_use_of_the_view_only_what_queries_return() {
    noClasses()
        .that()
        .resideInAnyPackage(room("http"), room("grpc"))
        .should()
        .dependOnClassesThat(
            assignableTo(TenantDatabases.class).or(assignableTo(TenantReader.class)))
        .check(program);
  }

  @Test
  void only_http_uses_jetty_and_only_grpc_admin_and_main_use_netty() {
    noClasses()
        .that()
        .resideOutsideOfPackage(room("http"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.eclipse.jetty..")
        .check(program);
    noClasses()
        .that()
        .resideOutsideOfPackages(room("grpc"), room("admin"), ROOT)
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.netty..")
        .check(program);
  }

  @Test
  void only_objects_use_the_aws_sdk() {
    noClasses()
        .that()
        .resideOutsideOfPackage(room("objects"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("software.amazon..")
        .check(program);
  }

  @Test
  void only_the_hub_uses_structured_task_scopes() {
    noClasses()
        .that()
        .resideOutsideOfPackage(room("hub"))
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
  void only_main_and_the_commands_end_the_process() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(ROOT + ".Main")
        .and()
        .resideOutsideOfPackage(room("cli"))
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "halt", int.class)
        .check(program);
  }
}
