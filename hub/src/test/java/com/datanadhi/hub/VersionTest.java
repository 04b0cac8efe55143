package com.datanadhi.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;

class VersionTest {
  @Test
  void the_pom_and_the_file_version_agree() throws Exception {
    var pom = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse("pom.xml");
    String version = XPathFactory.newInstance().newXPath().evaluate("/project/version", pom);
    assertThat("v" + version).isEqualTo(Files.readString(Path.of("../VERSION")).strip());
  }
}
