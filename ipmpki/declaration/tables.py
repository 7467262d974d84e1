"""The tables of pki.toml and their keys, each with what an editor says of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from ipmpki.declaration.key_types import KeyType
from ipmpki.declaration.types import (
    Address,
    Batches,
    Country,
    Duration,
    FilePath,
    Generation,
    GivenLine,
    Key,
    KeywordName,
    KeywordSetting,
    Line,
    PermittedDomains,
    PermittedNetworks,
    RenewKey,
    ServerName,
    SubjectText,
    TcpPort,
    VariableName,
    integer,
)
from ipmpki.declaration.vocabulary import OperatingSystem, Role


class Table(BaseModel):
    """A table of pki.toml. Unknown keys are errors; strings are never coerced from other types."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Passphrase(Table):
    """Where the CA key's passphrase is read from; exactly one of the two."""

    env: VariableName | None = Field(
        default=None,
        title="Environment variable",
        description="Name of the environment variable that holds the passphrase.",
        examples=["IPMPKI_CA_PASSPHRASE"],
    )
    file: FilePath | None = Field(
        default=None,
        title="Passphrase file",
        description="File whose first line is the passphrase; relative to pki.toml.",
        examples=["ca-passphrase.txt"],
    )


class SigningAuthority(Table):
    """An authority that signs here: made by ipmpki, or one that exists already."""

    common_name: SubjectText | None = Field(
        default=None,
        title="Common name",
        description="The authority's name, as it stands in every certificate it issues.",
        examples=["Acme Print CA"],
    )
    organization: SubjectText | None = Field(
        default=None, title="Organization", description="The company's name.", examples=["Acme Corporation"]
    )
    organizational_unit: SubjectText | None = Field(
        default=None,
        title="Organizational unit",
        description="The department's name.",
        examples=["Print operations"],
    )
    country: Country | None = Field(
        default=None,
        title="Country",
        description="Two capital letters, as in ISO 3166.",
        examples=["DE"],
    )
    state: SubjectText | None = Field(
        default=None, title="State or province", description="In full.", examples=["Colorado"]
    )
    locality: SubjectText | None = Field(
        default=None, title="Locality", description="City or town.", examples=["Boulder"]
    )
    key: Key = Field(
        default=KeyType.RSA_3072,
        title="The authority's key",
        description="Key type of a new authority.",
        examples=["rsa-3072"],
    )
    lifetime: Duration = Field(
        default=timedelta(days=3650),
        title="The authority's lifetime",
        description="How long a new authority is valid: a number and d, w, m or y.",
        examples=["10y"],
        json_schema_extra={"default": "10y"},
    )
    certificate: FilePath | None = Field(
        default=None,
        title="Existing certificate",
        description="PEM file of an authority that exists already; relative to pki.toml.",
        examples=["ca-cert.pem"],
    )
    key_file: FilePath | None = Field(
        default=None,
        title="Existing key",
        description="PEM file of the authority's private key, relative to pki.toml; or the PKCS#11 URI"
        " of a key in a token.",
        examples=["ca-key.pem", "pkcs11:token=CA;object=ca-key?module-path=/usr/lib/softhsm/libsofthsm2.so"],
    )
    generation: Generation = Field(
        default=1,
        title="Generation",
        description="A higher number has a successor made, which takes over without an outage.",
        examples=[2],
    )
    revoke_replaced: StrictBool = Field(
        default=False,
        title="Revoke what was replaced",
        description="Revoke a certificate once the one in its place is known to be installed.",
    )
    permitted_domains: PermittedDomains = Field(
        default=None,
        title="Permitted domains",
        description="The authority can certify no names but these domains and those below them: fixed when it"
        ' is made. "declared" takes the domains of the hosts of that day.',
        examples=[["example.com"]],
    )
    permitted_addresses: PermittedNetworks = Field(
        default=None,
        title="Permitted addresses",
        description="The authority can certify no addresses but those of these networks, none where the list"
        ' is empty: fixed when it is made. "declared" takes the networks of the hosts of that day.',
        examples=[["10.0.0.0/8"]],
    )
    passphrase: Passphrase | None = Field(
        default=None,
        title="Passphrase of the CA's key",
        description='Kept out of this file: { env = "NAME" } or { file = "PATH" }.',
        examples=[{"env": "IPMPKI_CA_PASSPHRASE"}],
    )


class CertificateAuthority(SigningAuthority):
    """The certificate authority of this fleet: one that signs here, or one that sells certificates."""

    kind: Literal["private", "third-party"] = Field(
        default="private",
        title="Kind of authority",
        description="'private' issues the certificates here; 'third-party' is a globally known CA.",
    )
    bundle: FilePath | None = Field(
        default=None,
        title="Trust bundle",
        description="PEM file of the authorities to trust under kind = 'third-party'; relative to pki.toml.",
        examples=["root.pem"],
    )
    certdata: FilePath | None = Field(
        default=None,
        title="Mozilla's list",
        description="Mozilla's certdata.txt, to make the trust bundle from; relative to pki.toml.",
        examples=["certdata.txt"],
    )
    bundle_age: Duration = Field(
        default=timedelta(days=398),
        title="Age of the trust bundle",
        description="How old the trust bundle may become before a newer one is asked for.",
        examples=["398d"],
        json_schema_extra={"default": "398d"},
    )


class ClientAuthority(SigningAuthority):
    """The private authority that signs the certificates of clients, where those of servers are bought."""


class Tls(Table):
    """How the hosts authenticate each other."""

    mutual_auth: Literal["off", "required"] = Field(
        default="off",
        title="Mutual authentication",
        description="'required': clients need a certificate of their own, which the server checks.",
    )


class Defaults(Table):
    """What holds for every host that does not say otherwise."""

    os: OperatingSystem = Field(
        default=OperatingSystem.LINUX,
        title="Operating system",
        description="The system a host runs, where it does not say otherwise.",
    )
    key: Key = Field(
        default=KeyType.RSA_2048,
        title="Key type",
        description="The key made for a host; a server needs an RSA key.",
        examples=["rsa-2048"],
    )
    lifetime: Duration = Field(
        default=timedelta(days=397),
        title="Validity of a certificate",
        description="How long a host's certificate is valid: a number and d, w, m or y.",
        examples=["397d"],
        json_schema_extra={"default": "397d"},
    )
    renew_before: Duration = Field(
        default=timedelta(days=30),
        title="Renewal window",
        description="How long before its end a certificate is renewed.",
        examples=["30d"],
        json_schema_extra={"default": "30d"},
    )
    renew_spread: Duration | None = Field(
        default=None,
        title="Spread of renewals",
        description="Renew hosts over this span before the window, each on a day of its own.",
        examples=["60d"],
    )
    renew_key: RenewKey = Field(
        default="new",
        title="Key on renewal",
        description="'new': a renewed certificate gets a new key; 'keep': the one before stays.",
    )


class Keywords(Table):
    """Names of ipmssl.cfg keywords that the vendor does not publish, read off the sample on a host."""

    ca_file: KeywordName | None = Field(
        default=None,
        title="Keyword for the CA file",
        description="Keyword of the sample ipmssl.cfg that names the CA's certificate.",
    )
    crl_file: KeywordName | None = Field(
        default=None,
        title="Keyword for the revocation list",
        description="Keyword of the sample ipmssl.cfg that names the CRL.",
    )
    mutual_auth: KeywordSetting | None = Field(
        default=None,
        title="Keyword for mutual authentication",
        description="Its name alone is set to 1 as EnableTLS is; 'NAME=VALUE' sets another value.",
    )
    by_hand: tuple[Literal["ca_file", "crl_file", "mutual_auth"], ...] = Field(
        default=(),
        title="Keywords set by hand",
        description="What somebody sets in ipmssl.cfg by hand, so that no keyword is named for it here.",
        examples=[("mutual_auth",)],
    )


class IpmSettings(Table):
    """What only the site knows of its InfoPrint Manager."""

    server_account: Line | None = Field(
        default=None,
        title="Server's account",
        description="The account that runs the server: owner of the server's key.",
        examples=["ipm1"],
    )
    restart_command: Line | None = Field(
        default=None,
        title="Server's restart command",
        description="Restarts a server. An instruction, unless the install script is told to run it.",
        examples=["pdshutdown ipm1 && startsrv ipm1"],
    )
    server_name: ServerName | None = Field(
        default=None,
        title="Server's name to InfoPrint Manager",
        description="From it follows how a server on AIX and Linux is restarted, where no command is given.",
        examples=["ipm1"],
    )
    tls_port: TcpPort | None = Field(
        default=None,
        title="Port of the server's TLS",
        description="Where servers speak TLS, for 'ipmpki status --live'. None is assumed.",
        examples=[6874],
    )
    restart_every: Duration | None = Field(
        default=None,
        title="Server's restart cycle",
        description="How often servers are restarted, if not when a folder is installed: renewals must come"
        " earlier than that.",
        examples=["7d"],
    )
    ec_keys: StrictBool | None = Field(
        default=None,
        title="Elliptic-curve keys",
        description="false: programs there cannot use elliptic-curve keys, and to declare one is an error.",
        examples=[False],
    )
    keywords: Keywords = Field(
        default=Keywords(),
        title="ipmssl.cfg keywords",
        description="Names of keywords that the vendor does not publish; read them off the sample.",
    )


class Ipm(IpmSettings):
    """The site's settings, and where one operating system differs."""

    aix: IpmSettings | None = Field(
        default=None, title="Settings on AIX", description="What differs on AIX hosts."
    )
    linux: IpmSettings | None = Field(
        default=None, title="Settings on Linux", description="What differs on Linux hosts."
    )
    windows: IpmSettings | None = Field(
        default=None, title="Settings on Windows", description="What differs on Windows hosts."
    )
    macos: IpmSettings | None = Field(
        default=None, title="Settings on macOS", description="What differs on macOS hosts."
    )


class RuleSettings(Table):
    """Which rules are silenced."""

    ignore: tuple[str, ...] = Field(
        default=(),
        title="Ignored rules",
        description="Warnings and infos that are not to be reported; never errors.",
        examples=[["single-label-alias"]],
    )


class Rollout(Table):
    """How the playbook in dist/ansible goes through the hosts."""

    batch: Batches = Field(
        default=(1,),
        title="Batch",
        description="How many hosts at once: a number, a percentage, or an array of them, one batch each.",
        examples=[[1, "25%"]],
        json_schema_extra={"default": 1},
    )


class Host(Table):
    """One computer that runs an InfoPrint Manager server or client."""

    name: str = Field(
        title="Full computer name",
        description="The computer's full name, as it stands in DNS.",
        examples=["ipm1.example.com"],
    )
    role: Role = Field(
        title="Role", description="'server' runs InfoPrint Manager; 'client' prints through it."
    )
    os: OperatingSystem | None = Field(
        default=None, title="Operating system", description="The system this computer runs."
    )
    subject: str | None = Field(
        default=None,
        title="Subject",
        description="A wildcard to put in the certificate's subject instead of the name.",
        examples=["*.example.com"],
    )
    aliases: tuple[str, ...] = Field(
        default=(),
        title="Aliases",
        description="Other names by which this computer is reached.",
        examples=[["print.example.com", "ipm1"]],
    )
    ips: tuple[Address, ...] = Field(
        default=(),
        title="IP addresses",
        description="The computer's own IPv4 and IPv6 addresses.",
        examples=[["10.1.2.3", "fc00::1"]],
    )
    key: Key | None = Field(
        default=None, title="Key type", description="The key made for this host.", examples=["rsa-2048"]
    )
    lifetime: Duration | None = Field(
        default=None,
        title="Validity of its certificate",
        description="A number and d, w, m or y.",
        examples=["397d"],
    )
    renew_before: Duration | None = Field(
        default=None,
        title="Renewal window",
        description="How long before its end its certificate is renewed.",
        examples=["30d"],
    )
    renew_key: RenewKey | None = Field(
        default=None,
        title="Key on renewal",
        description="'new' or 'keep'; as in [defaults], where not given.",
        examples=["keep"],
    )
    csr: FilePath | None = Field(
        default=None,
        title="Request made on the host",
        description="A signing request whose key never leaves the host; relative to pki.toml.",
        examples=["csr/ipm1.csr"],
    )
    restart_command: Line | None = Field(
        default=None,
        title="Restart command",
        description="Restarts what runs on this host; a server's, where not given, is that of [ipm].",
        examples=["pdshutdown ipm2 && startsrv ipm2"],
    )
    server_name: ServerName | None = Field(
        default=None,
        title="Server's name to InfoPrint Manager",
        description="From it follows how a server on AIX and Linux is restarted, where no command is given.",
        examples=["ipm2"],
    )
    tls_port: TcpPort | None = Field(
        default=None,
        title="Port of the server's TLS",
        description="Where this server speaks TLS, for 'ipmpki status --live'; as in [ipm], where not given.",
        examples=[6874],
    )
    formerly: GivenLine | None = Field(
        default=None,
        title="Former name",
        description="Written by 'ipmpki host set --rename': one host under a new name, and not two.",
        examples=["old.example.com"],
    )


class Site(Table):
    """A file brought in by ``include``: further hosts."""

    hosts: tuple[Host, ...] = Field(
        default=(), title="Hosts", description="The computers of this site.", examples=[]
    )


class Declaration(Table):
    """A whole pki.toml."""

    schema_: Annotated[Literal[1], BeforeValidator(integer)] = Field(
        default=1,
        alias="schema",
        title="Version of this format",
        description="Version of the format of this file.",
    )
    include: tuple[FilePath, ...] = Field(
        default=(),
        title="Included files",
        description="Patterns of files with further [[hosts]]; relative to this file.",
        examples=[["sites/*.toml"]],
    )
    store: FilePath | None = Field(
        default=None,
        title="Store",
        description="Where pki.db lies, if not beside this file.",
        examples=["/var/lib/ipmpki/pki.db"],
    )
    ca: CertificateAuthority = Field(
        title="Certificate authority", description="Who issues the certificates."
    )
    client_ca: ClientAuthority | None = Field(
        default=None,
        title="Authority for clients",
        description="A private authority for the clients, where servers have certificates from a known CA.",
    )
    tls: Tls = Field(default=Tls(), title="TLS", description="How servers and clients trust each other.")
    defaults: Defaults = Field(
        default=Defaults(),
        title="Defaults for every host",
        description="What holds for every host that does not say otherwise.",
    )
    ipm: Ipm = Field(
        default=Ipm(),
        title="InfoPrint Manager",
        description="What only the site knows of its InfoPrint Manager.",
    )
    rollout: Rollout = Field(
        default=Rollout(),
        title="Rollout",
        description="How the playbook in dist/ansible goes through the hosts.",
    )
    rules: RuleSettings = Field(
        default=RuleSettings(), title="Rules", description="Which rules are silenced."
    )
    hosts: tuple[Host, ...] = Field(
        default=(), title="Hosts", description="The computers that run a server or a client."
    )
