#!/bin/sh
# make-tiny-image.sh FOLDER: an image for the qemu driver that boots in seconds, also without KVM: the cloud
# kernel of Debian, and an initrd with busybox and dropbear that reads its key and name from the cloud-init seed.
#
#   scripts/make-tiny-image.sh ~/.local/share/one/qemu/images/tiny
#
# Needs a Debian or Ubuntu system, nothing but space in FOLDER, and no root. The packages it takes from there are
# unpacked, not installed.
set -eu
umask 022
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
for program in apt-get dpkg-deb cpio; do
    command -v "$program" >/dev/null || { echo "there is no $program; install it first" >&2; exit 1; }
done
mkdir -p "$1"
folder=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fetch() { # PACKAGE...: unpacked under packages/
    apt-get -q -q -o Debug::NoLocking=1 -o APT::Sandbox::User=root download "$@"
    for file in *.deb; do dpkg-deb -x "$file" packages; done
    rm -f ./*.deb
}
kernel_package() { apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1; }
kernel=$(kernel_package)
if [ -z "$kernel" ] && [ "$(id -u)" -eq 0 ]; then
    apt-get -q -q update
    kernel=$(kernel_package)
fi
[ "$kernel" ] || { echo "apt knows no linux-image-cloud-amd64: run apt-get update, or this is no Debian" >&2; exit 1; }
fetch "$kernel" busybox-static dropbear-bin

mkdir -p root/bin root/sbin root/lib/modules root/etc/dropbear root/etc/acpi/PWRF root/root root/proc root/sys root/dev root/seed
# Everything dropbear is linked with, wherever it is on this system or in what was just unpacked.
cp packages/usr/sbin/dropbear root/sbin/
cp packages/usr/bin/dropbearconvert root/bin/ 2>/dev/null || cp packages/usr/lib/dropbear/dropbearconvert root/bin/
libraries() { ldd packages/usr/sbin/dropbear | grep -o '/[^ )]*'; }
if ldd packages/usr/sbin/dropbear | grep -q 'not found'; then fetch libtomcrypt1 libtommath1 libgmp10; fi
export LD_LIBRARY_PATH="$work/packages/usr/lib/x86_64-linux-gnu"
for library in $(libraries); do
    mkdir -p "root${library%/*}"
    case $library in
    "$work"/*) mkdir -p root/usr/lib && cp -L "$library" root/usr/lib/ ;;
    *) cp -L "$library" "root$library" ;;
    esac
done
unset LD_LIBRARY_PATH

busybox=$(find packages -path '*/bin/busybox' -type f | head -n 1)
cp "$busybox" root/bin/busybox
for applet in $("$busybox" --list); do [ "$applet" = busybox ] || ln -s busybox "root/bin/$applet"; done
for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover net_failover \
    virtio_net virtio_blk fat vfat nls_iso8859-1 nls_cp437 nls_ascii button evdev; do
    file=$(find packages -name "$module.ko" | head -n 1)
    [ "$file" ] || continue
    cp "$file" root/lib/modules/
    echo "$module"
done >root/modules

echo 'root::0:0:root:/root:/bin/sh' >root/etc/passwd
echo 'root:x:0:' >root/etc/group
echo '/bin/sh' >root/etc/shells
printf '::ctrlaltdel:/bin/reboot\n' >root/etc/inittab
cat >root/etc/acpi/PWRF/00000080 <<'END'
#!/bin/sh
echo "the power button was pressed" >/dev/console
sync
poweroff -f
END
cat >root/init <<'END'
#!/bin/sh
# The whole system of a tiny guest: drivers, network, seed, SSH, power button.
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /run /root/.ssh
mount -t devpts pts /dev/pts
for module in $(cat /modules); do insmod "/lib/modules/$module.ko"; done
ifconfig lo 127.0.0.1 up
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
route add default gw 10.0.2.2
for disk in /dev/vd?1; do
    mount -t vfat -o ro "$disk" /seed 2>/dev/null && [ -e /seed/meta-data ] && break
done
hostname "$(sed -n 's/^ "local-hostname": "\(.*\)",*$/\1/p' /seed/meta-data)"
sed -n '/"public-keys"/,/]/s/^  "\(.*\)",*$/\1/p' /seed/meta-data >/root/.ssh/authorized_keys
chmod 700 /root /root/.ssh
chmod 600 /root/.ssh/authorized_keys
private=$(sed -n 's/^  "ed25519_private": "\(.*\)",*$/\1/p' /seed/user-data /seed/vendor-data 2>/dev/null)
printf '%b' "$private" >/run/host_key
dropbearconvert openssh dropbear /run/host_key /etc/dropbear/dropbear_ed25519_host_key 2>/dev/null
dropbear -R -s -p 22
acpid -d >/dev/null 2>&1 &
exec init
END
chmod 755 root/init root/etc/acpi/PWRF/00000080

(cd root && find . | cpio -o -H newc --quiet --owner=0:0 | gzip -1) >"$folder/initrd.new"
cp packages/boot/vmlinuz-* "$folder/kernel.new"
echo 'console=ttyS0 quiet tsc=unstable nokaslr mitigations=off panic=-1 rdinit=/init' >"$folder/cmdline"
mv "$folder/initrd.new" "$folder/initrd"
mv "$folder/kernel.new" "$folder/kernel"
