import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * Judges many leaves in one JVM, as a TLS peer written in Java would, CRL included.
 *
 * Input: a file of lines "purpose leaf authority crl", purpose being server or client, the others PEM files.
 * Output: for each line, in order, "accepted" or the reason of the refusal.
 */
class ValidateChains {
    public static void main(String[] arguments) throws Exception {
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            String[] words = line.split(" ");
            X509TrustManager judge = judge(words[2], words[3]);
            X509Certificate[] chain = {certificate(words[1])};
            String kind = chain[0].getPublicKey().getAlgorithm();
            try {
                if (words[0].equals("server")) {
                    // "RSA" asks for keyEncipherment, "ECDHE_RSA" for digitalSignature.
                    judge.checkServerTrusted(chain, "RSA");
                    judge.checkServerTrusted(chain, "ECDHE_RSA");
                } else {
                    judge.checkClientTrusted(chain, kind);
                }
                System.out.println("accepted");
            } catch (CertificateException refusal) {
                Throwable cause = refusal;
                while (cause.getCause() != null) {
                    cause = cause.getCause();
                }
                System.out.println(cause.getMessage().replace('\n', ' '));
            }
        }
    }

    private static X509TrustManager judge(String authority, String crl) throws Exception {
        KeyStore anchors = KeyStore.getInstance("PKCS12");
        anchors.load(null, null);
        anchors.setCertificateEntry("authority", certificate(authority));
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, new X509CertSelector());
        try (InputStream stream = new FileInputStream(crl)) {
            parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(
                List.of(CertificateFactory.getInstance("X.509").generateCRL(stream)))));
        }
        PKIXRevocationChecker revocation =
            (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX").getRevocationChecker();
        revocation.setOptions(EnumSet.of(
            PKIXRevocationChecker.Option.PREFER_CRLS, PKIXRevocationChecker.Option.NO_FALLBACK));
        parameters.addCertPathChecker(revocation);
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(new CertPathTrustManagerParameters(parameters));
        return (X509TrustManager) factory.getTrustManagers()[0];
    }

    private static X509Certificate certificate(String file) throws Exception {
        try (InputStream stream = new FileInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(stream);
        }
    }
}
