/**
 * Delivers log records to Data Nadhi. The libraries that it uses are in the jar, relocated to other
 * packages.
 */
module com.datanadhi.sdk {
  requires java.logging;
  requires java.management;
  requires java.net.http;
  // An application that uses one of these integrations brings the library.
  requires static ch.qos.logback.classic;
  requires static ch.qos.logback.core;
  requires static io.opentelemetry.api;
  requires static io.opentelemetry.sdk.common;
  requires static io.opentelemetry.sdk.logs;
  requires static micrometer.core;
  requires static org.apache.logging.log4j;
  requires static org.apache.logging.log4j.core;
  requires static org.jspecify;

  uses com.datanadhi.sdk.shaded.grpc.LoadBalancerProvider;
  uses com.datanadhi.sdk.shaded.grpc.NameResolverProvider;

  provides com.datanadhi.sdk.shaded.grpc.NameResolverProvider with
      com.datanadhi.sdk.internal.echopost.LoopbackResolver;

  exports com.datanadhi.sdk;
  exports com.datanadhi.sdk.jul;
  exports com.datanadhi.sdk.log4j;
  exports com.datanadhi.sdk.logback;
  exports com.datanadhi.sdk.micrometer;
  exports com.datanadhi.sdk.opentelemetry;

  // Log4j reads its plugins by reflection.
  opens com.datanadhi.sdk.log4j;
}
