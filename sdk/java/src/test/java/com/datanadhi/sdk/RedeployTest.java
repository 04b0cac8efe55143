package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.WebApplication;
import java.io.File;
import java.lang.ref.WeakReference;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Deployments of a web application in Tomcat, each with its own class loader. */
class RedeployTest extends AbstractSdkTest {
  private static final int REDEPLOYS = 20;

  private Tomcat tomcat;
  private Path web;

  @BeforeEach
  void startTomcat() throws Exception {
    Files.writeString(
        directory.resolve("config.yml"),
        "server: {host: '%s', fallback_host: '%s'}\nechopost: {disable: true}"
            .formatted(main.url(), fallback.url()));
    System.setProperty("web.directory", directory.toString());
    web = directory.resolve("web");
    Path lib = Files.createDirectories(web.resolve("WEB-INF/lib"));
    Path classes = Files.createDirectories(web.resolve("WEB-INF/classes"));
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      Path path = Path.of(entry);
      String name = path.getFileName().toString();
      if (name.matches(
          "(logback|slf4j-api|grpc|perfmark|gson|snakeyaml|okio|kotlin|guava|failureaccess).*jar")) {
        Files.copy(path, lib.resolve(name));
      }
    }
    copyClasses(DataNadhi.class, classes);
    Path application = classes.resolve(WebApplication.class.getName().replace('.', '/') + ".class");
    Files.createDirectories(application.getParent());
    Files.copy(
        location(WebApplication.class).resolve(classes.relativize(application).toString()),
        application);
    Files.writeString(
        classes.resolve("logback.xml"),
        """
        <configuration>
          <appender name="DN" class="com.datanadhi.sdk.logback.DataNadhiAppender">
            <directory>%s</directory>
          </appender>
          <appender name="ASYNC" class="ch.qos.logback.classic.AsyncAppender">
            <appender-ref ref="DN"/>
          </appender>
          <root level="INFO"><appender-ref ref="ASYNC"/></root>
        </configuration>
        """
            .formatted(directory));
    tomcat = new Tomcat();
    tomcat.setBaseDir(directory.resolve("tomcat").toString());
    tomcat.setPort(0);
    tomcat.getConnector();
    tomcat.start();
  }

  @AfterEach
  void stopTomcat() throws Exception {
    tomcat.stop();
    tomcat.destroy();
    System.clearProperty("web.directory");
  }

  private static Path location(Class<?> type) throws Exception {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  private static void copyClasses(Class<?> type, Path to) throws Exception {
    Path from = location(type);
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Path target = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
        } else {
          Files.copy(path, target);
        }
      }
    }
  }

  @Test
  void redeploys_leave_no_class_loader_and_no_thread() throws Exception {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
    for (int i = 0; i < REDEPLOYS; i++) {
      loaders.add(deployAndUndeploy());
    }
    // AsyncAppender waits for its last event for a second only.
    // A closed client can have sent a record whose answer it has not seen: it comes twice then.
    await().atMost(TIME_LIMIT).untilAsserted(() -> assertThat(main.keys()).hasSize(3 * REDEPLOYS));
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> assertThat(CloseTest.threadsBut(before)).isEmpty());
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          System.gc();
          assertThat(loaders).extracting(WeakReference::get).containsOnlyNulls();
        });
  }

  /** Returns the class loader of the deployment, in which the SDK was loaded. */
  private WeakReference<ClassLoader> deployAndUndeploy() throws Exception {
    Context context = tomcat.addContext("", web.toString());
    context.stop();
    context.setParentClassLoader(new ContainerClassLoader());
    context.addApplicationListener(WebApplication.class.getName());
    var unused = Tomcat.addServlet(context, "shop", WebApplication.class.getName());
    context.addServletMappingDecoded("/*", "shop");
    context.start();
    ClassLoader loader = context.getLoader().getClassLoader();
    assertThat(loader.loadClass(DataNadhi.class.getName()).getClassLoader()).isSameAs(loader);
    int port = tomcat.getConnector().getLocalPort();
    HttpURLConnection request =
        (HttpURLConnection) new URL("http://127.0.0.1:" + port + "/").openConnection();
    assertThat(request.getResponseCode()).isEqualTo(200);
    context.stop();
    context.destroy();
    tomcat.getHost().removeChild(context);
    return new WeakReference<>(loader);
  }

  /** Has the classes of Tomcat, but neither the SDK nor a logging library. */
  private static final class ContainerClassLoader extends ClassLoader {
    ContainerClassLoader() {
      super(ClassLoader.getPlatformClassLoader());
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
      if (name.matches("(jakarta|org[.]apache[.](catalina|tomcat|coyote|juli|naming))[.].*")) {
        return RedeployTest.class.getClassLoader().loadClass(name);
      }
      throw new ClassNotFoundException(name);
    }
  }
}
